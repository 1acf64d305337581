import Wire

/// Recognises what keeps a network together and must not wait behind the bulk that it is to route: BGP, OSPF, BFD, and
/// whatever else its sender has marked as network control.
enum RoutingProtocol {
    private static let networkControl: UInt8 = 48  // CS6 (RFC 4594 §3.1)
    private static let bgp: UInt16 = 179
    /// Of single hops, their echoes, and several hops (RFC 5881 §4, RFC 5883 §5).
    private static let bfd: (single: UInt16, echo: UInt16, multihop: UInt16) = (3784, 3785, 4784)

    static func isOne(_ packet: UnsafeMutableRawBufferPointer) -> Bool {
        guard let ip = unsafe IPPacket(packet) else { return false }
        if ip.trafficClass >> 2 == networkControl { return true }
        guard !ip.isFragment, let transport = ip.transport else { return false }
        switch transport.number {
        case IPProtocol.ospf:
            return true
        case IPProtocol.udp:
            guard transport.offset + 4 <= ip.count else { return false }
            let port = unsafe ip.start.networkWord(at: transport.offset + UDPField.destinationPort)
            return port == bfd.single || port == bfd.echo || port == bfd.multihop
        case IPProtocol.tcp:
            guard transport.offset + 4 <= ip.count else { return false }
            return unsafe ip.start.networkWord(at: transport.offset) == bgp
                || ip.start.networkWord(at: transport.offset + 2) == bgp
        default:
            return false
        }
    }
}
