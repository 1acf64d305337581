/// The plaintext length that `count` bytes are padded to: a multiple of 16, but never beyond what the MTU allows, so
/// that padding cannot make a packet too large for the way it takes (P-4.6). `mtu` 0 sets no limit.
package func paddedLength(_ count: Int, mtu: Int) -> Int {
    // A packet longer than the MTU leaves in pieces of that size: what is padded is the last one.
    let last = mtu > 0 && count > mtu ? count % mtu : count
    let rounded = (last + Protocol.paddingMultiple - 1) & ~(Protocol.paddingMultiple - 1)
    return count - last + (mtu > 0 ? max(last, min(rounded, mtu)) : rounded)
}
