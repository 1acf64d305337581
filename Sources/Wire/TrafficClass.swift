/// The byte of an IP header that holds the DS field (RFC 2474 §3) and, below it, the ECN bits (RFC 3168 §5).
public enum TrafficClass {
    /// The bits of the DSCP.
    public static let dscpMask: UInt8 = 0b1111_1100
    public static let ecnMask: UInt8 = 0b0000_0011

    /// Puts the bits of `value` that are in `mask` into the IP header at the start of `packet`, its checksum included; no
    /// other byte changes. False, and nothing is done, when that is no IP packet or has those bits already.
    @discardableResult
    public static func replace(
        _ packet: UnsafeMutableRawBufferPointer, with value: UInt8, mask: UInt8
    ) -> Bool {
        guard let ip = unsafe IPPacket(packet), let bytes = packet.baseAddress else { return false }
        let old = ip.trafficClass
        let new = old & ~mask | value & mask
        guard new != old else { return false }
        switch ip.version {
        case .v4:
            let before = unsafe UnsafeRawPointer(bytes).memoryWord(at: 0)
            unsafe bytes.storeByte(new, at: IPv4Field.trafficClass)
            let checksum = unsafe UnsafeRawPointer(bytes).memoryWord(at: IPv4Field.checksum)
            let after = unsafe UnsafeRawPointer(bytes).memoryWord(at: 0)
            unsafe bytes.storeMemory(
                Checksum.updated(checksum, replacing: before, with: after), at: IPv4Field.checksum)
        case .v6:
            // It stands across bytes 0 and 1, between the version and the flow label.
            let first = unsafe UnsafeRawPointer(bytes).byte(at: 0)
            let second = unsafe UnsafeRawPointer(bytes).byte(at: 1)
            unsafe bytes.storeByte(first & 0xf0 | new >> 4, at: 0)
            unsafe bytes.storeByte(second & 0x0f | new << 4, at: 1)
        }
        return true
    }
}
