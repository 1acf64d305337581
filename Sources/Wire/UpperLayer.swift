/// What a packet carries behind its IP header and IPv6's extension headers (RFC 8200 §4, "upper-layer header").
///
/// Other than `IPPacket.transport` it also looks behind the header of a first fragment.
public enum UpperLayer: Equatable, Sendable {
    /// A header of protocol `number`, `offset` bytes from the packet's start; some of it may be missing. With
    /// `isRouted` a routing header names another final destination than the IP header does: that one is in the
    /// pseudo-header (RFC 8200 §8.1).
    case header(number: UInt8, offset: Int, isRouted: Bool)
    /// A fragment other than the first: it begins somewhere within the payload.
    case laterFragment
    /// The extension headers run out of the packet, or there are too many of them.
    case unreadable
}

extension IPPacket {
    /// The most extension headers looked behind.
    private static let upperLayerBound = 8

    @inlinable public var upperLayer: UpperLayer {
        switch version {
        case .v4:
            let offset = unsafe bytes.networkWord(at: IPv4Field.fragment) & IPv4Field.fragmentOffsetMask
            return offset == 0
                ? .header(number: nextProtocol, offset: headerLength, isRouted: false) : .laterFragment
        case .v6:
            return upperLayerOfIPv6
        }
    }

    @usableFromInline var upperLayerOfIPv6: UpperLayer {
        var number = nextProtocol
        var offset = headerLength
        var isRouted = false
        for _ in 0...Self.upperLayerBound {
            switch number {
            case IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.destinationOptions, IPProtocol.fragment:
                guard offset + IPv6Extension.unit <= count else { return .unreadable }
            default:
                return offset <= count ? .header(number: number, offset: offset, isRouted: isRouted) : .unreadable
            }
            var length = IPv6Extension.unit
            if number == IPProtocol.fragment {
                let field = unsafe bytes.networkWord(at: offset + IPv6Extension.fragmentOffset)
                guard field & IPv6Extension.fragmentOffsetMask == 0 else { return .laterFragment }
            } else {
                if number == IPProtocol.routing, unsafe bytes.byte(at: offset + IPv6Extension.segmentsLeft) > 0 {
                    isRouted = true
                }
                length *= Int(unsafe bytes.byte(at: offset + IPv6Extension.length)) + 1
            }
            number = unsafe bytes.byte(at: offset)
            offset += length
        }
        return .unreadable
    }
}
