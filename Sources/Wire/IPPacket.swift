/// A view of the IP header at the start of some bytes: the lengths are checked once, here, and then only read.
///
/// It holds a pointer, so it is good for as long as the bytes stay where they are. What the header declares
/// (`totalLength`) may still differ from what there is: see `InnerPacket`.
@safe public struct IPPacket {
    @usableFromInline let bytes: UnsafeRawPointer
    /// How many bytes there are, header included.
    public let count: Int
    public let version: IPAddress.Family
    /// Bytes of IP header, IPv4 options included; IPv6 extension headers are not counted.
    public let headerLength: Int

    /// The first byte of the header.
    @inlinable public var start: UnsafeRawPointer { unsafe bytes }

    /// nil when the bytes are no IPv4 or IPv6 header, or too few for the header that they begin.
    @inlinable public init?(_ packet: UnsafeRawBufferPointer) {
        guard let start = packet.baseAddress, packet.count >= IPv4Field.length else { return nil }
        let first = unsafe start.byte(at: 0)
        switch first >> 4 {
        case 4:
            version = .v4
            headerLength = Int(first & 0x0f) * 4
            guard headerLength >= IPv4Field.length, headerLength <= packet.count else { return nil }
        case 6:
            version = .v6
            headerLength = IPv6Field.length
            guard headerLength <= packet.count else { return nil }
        default:
            return nil
        }
        unsafe bytes = start
        count = packet.count
    }

    /// The same for bytes that may be written to.
    @inlinable public init?(_ packet: UnsafeMutableRawBufferPointer) {
        unsafe self.init(UnsafeRawBufferPointer(packet))
    }

    @inlinable public var source: IPAddress {
        version == .v4
            ? unsafe IPAddress(v4At: bytes + IPv4Field.source)
            : unsafe IPAddress(v6At: bytes + IPv6Field.source)
    }

    @inlinable public var destination: IPAddress {
        version == .v4
            ? unsafe IPAddress(v4At: bytes + IPv4Field.destination)
            : unsafe IPAddress(v6At: bytes + IPv6Field.destination)
    }

    /// The packet's length as its header declares it, 0 to 65,575. IPv6 adds its header to a 16-bit field, which
    /// does not fit 16 bits (S-32).
    @inlinable public var totalLength: Int {
        version == .v4
            ? Int(unsafe bytes.networkWord(at: IPv4Field.totalLength))
            : Int(unsafe bytes.networkWord(at: IPv6Field.payloadLength)) + IPv6Field.length
    }

    /// The DS field with the ECN bits below it (RFC 3168 §5).
    @inlinable public var trafficClass: UInt8 {
        version == .v4
            ? unsafe bytes.byte(at: IPv4Field.trafficClass)
            : UInt8(truncatingIfNeeded: unsafe bytes.networkWord(at: 0) >> 4)
    }

    /// What follows the IP header: a transport protocol, or with IPv6 an extension header.
    @inlinable public var nextProtocol: UInt8 {
        version == .v4 ? unsafe bytes.byte(at: IPv4Field.transport) : unsafe bytes.byte(at: IPv6Field.nextHeader)
    }

    /// True for an IPv4 fragment, the first one included. IPv6 fragments show as `nextProtocol` 44.
    @inlinable public var isFragment: Bool {
        unsafe version == .v4 && bytes.networkWord(at: IPv4Field.fragment) & IPv4Field.fragmentMask != 0
    }

    /// The most extension headers looked behind.
    private static let extensionBound = 8

    /// The transport protocol and where its header starts, IPv6 options and routing headers skipped; nil where they
    /// run out of the packet or go on too long.
    public var transport: (number: UInt8, offset: Int)? {
        var number = nextProtocol
        var offset = headerLength
        guard version == .v6 else { return (number, offset) }
        for _ in 0..<Self.extensionBound {
            switch number {
            case IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.destinationOptions:
                guard offset + 8 <= count else { return nil }
                number = unsafe bytes.byte(at: offset)
                offset += (Int(unsafe bytes.byte(at: offset + 1)) + 1) * 8
            default:
                return offset <= count ? (number, offset) : nil
            }
        }
        return nil
    }
}
