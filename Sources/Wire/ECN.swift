/// Explicit congestion notification through a tunnel (RFC 6040): the two low bits of the traffic class.
public enum ECN {
    public static let notCapable: UInt8 = 0b00
    public static let capable1: UInt8 = 0b01
    public static let capable0: UInt8 = 0b10
    public static let congestion: UInt8 = 0b11

    private static let mask = TrafficClass.ecnMask

    /// The outer header's traffic class for a packet of inner class `inner`: its ECN bits (normal mode, RFC 6040 §4.1) and no
    /// DSCP, which would tell an observer what kind of traffic is inside.
    @inlinable public static func outer(of inner: UInt8) -> UInt8 { inner & 0b11 }

    /// Whether an outer header of this class may change what is inside: only ECT(1) and CE do.
    @inlinable public static func concerns(_ outer: UInt8) -> Bool { outer & 1 != 0 }

    /// The inner header's bits when it comes out of an outer header with those (RFC 6040 §4.2, figure 4).
    ///
    /// One field differs: congestion told of a packet whose sender doesn't listen is to be a drop there, and is passed on
    /// unmarked here, as Linux does. Where a network sets the bits blindly the tunnel would carry nothing.
    public static func decapsulated(inner: UInt8, outer: UInt8) -> UInt8 {
        switch (inner & mask, outer & mask) {
        case (notCapable, _): notCapable
        case (_, congestion): congestion
        case (capable0, capable1): capable1
        case (let inner, _): inner
        }
    }

    /// Does that to the IP header of `count` bytes at `packet`, its checksum included; no other byte changes.
    public static func decapsulate(_ packet: UnsafeMutableRawBufferPointer, outer: UInt8) {
        guard let ip = unsafe IPPacket(packet) else { return }
        let bits = decapsulated(inner: ip.trafficClass & mask, outer: outer)
        unsafe TrafficClass.replace(packet, with: bits, mask: mask)
    }
}
