/// The plaintext length that `count` bytes are padded to: a multiple of 16, but never beyond what the MTU allows, so
/// that padding cannot make a packet too large for the way it takes (P-4.6). `mtu` 0 sets no limit.
package func paddedLength(_ count: Int, mtu: Int) -> Int {
    // A packet longer than the MTU leaves in pieces of that size: what is padded is the last one.
    let last = mtu > 0 && count > mtu ? count % mtu : count
    let rounded = (last + Protocol.paddingMultiple - 1) & ~(Protocol.paddingMultiple - 1)
    return count - last + (mtu > 0 ? max(last, min(rounded, mtu)) : rounded)
}

/// The MTUs of an interface: its own and those of routes that lead out of it.
///
/// A packet says nothing of the route that it took, but it is no longer than that route's MTU: so the smallest of them that is
/// not below its length is a limit that holds whichever it was.
package struct PaddingLimits: Sendable {
    /// The most that are told apart. Beyond that the largest of the routes' are not, and the link's counts for them.
    package static let bound = 16

    private var ascending = InlineArray<16, Int32>(repeating: 0)
    private var count = 1

    /// `link` is the interface's own MTU; 0 sets no limit.
    package init(link: Int, routes: some Sequence<Int> = EmptyCollection<Int>()) {
        let below = Set(routes.filter { $0 > 0 && $0 < link }).sorted().prefix(Self.bound - 1)
        for (index, mtu) in below.enumerated() { ascending[index] = Int32(clamping: mtu) }
        ascending[below.count] = Int32(clamping: link)
        count = below.count + 1
    }

    /// What `length` bytes are padded to.
    package func paddedLength(_ length: Int) -> Int {
        var index = 0
        while index < count - 1, ascending[index] < length { index += 1 }
        return WireGuard.paddedLength(length, mtu: Int(ascending[index]))
    }
}
