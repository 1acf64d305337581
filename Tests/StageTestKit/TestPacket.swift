import Pipeline
import Wire

/// An IP packet as a stage gets it and gives it on: its bytes, and what they still owe.
package struct TestPacket: Hashable, Sendable {
    package var bytes: [UInt8]
    package var offload: Offload

    package init(bytes: [UInt8], offload: Offload = .none) {
        self.bytes = bytes
        self.offload = offload
    }

    // MARK: Builders

    /// A UDP datagram with a payload of `payload` bytes; `edit` sets what else there is to an IP packet.
    package static func udp(
        from source: String = "10.0.0.1", to destination: String = "10.0.0.2", payload: Int = 32, mark: Int = 0,
        _ edit: (inout PacketBuilder) -> Void = { _ in }
    ) -> TestPacket {
        build(source, destination, .udp, payload, mark, edit)
    }

    /// A TCP segment; a super-packet with `$0.segmentSize = 1360`.
    package static func tcp(
        from source: String = "10.0.0.1", to destination: String = "10.0.0.2", payload: Int = 32, mark: Int = 0,
        _ edit: (inout PacketBuilder) -> Void = { _ in }
    ) -> TestPacket {
        build(source, destination, .tcp(), payload, mark, edit)
    }

    /// An ICMP or ICMPv6 echo request, or reply.
    package static func echo(
        from source: String = "10.0.0.1", to destination: String = "10.0.0.2", isReply: Bool = false,
        sequence: UInt16 = 1, payload: Int = 56, _ edit: (inout PacketBuilder) -> Void = { _ in }
    ) -> TestPacket {
        let isV6 = source.contains(":")
        let type: UInt8 = isV6 ? (isReply ? 129 : 128) : (isReply ? 0 : 8)
        return build(
            source, destination, .icmp(type: type, rest: 0x1234_0000 | UInt32(sequence)), payload, 0, edit)
    }

    /// An ICMP or ICMPv6 error about `cause`, of which it quotes the first `quoted` bytes.
    package static func error(
        from source: String, to destination: String, type: UInt8, code: UInt8 = 0, rest: UInt32 = 0,
        about cause: TestPacket, quoted: Int = 548, _ edit: (inout PacketBuilder) -> Void = { _ in }
    ) -> TestPacket {
        build(source, destination, .icmp(type: type, code: code, rest: rest), 0, 0) {
            $0.payload = Array(cause.bytes.prefix(quoted))
            edit(&$0)
        }
    }

    private static func build(
        _ source: String, _ destination: String, _ transport: PacketBuilder.Transport, _ payload: Int, _ mark: Int,
        _ edit: (inout PacketBuilder) -> Void
    ) -> TestPacket {
        var builder = PacketBuilder(from: source, to: destination, transport)
        builder.payload = PacketBuilder.payload(payload, mark: mark)
        edit(&builder)
        return builder.packet
    }

    // MARK: What there is to see

    var version: Int { Int((bytes.first ?? 0) >> 4) }

    /// How many packets it is on the wire.
    package var wirePackets: Int {
        let (payload, each) = (bytes.count - Int(offload.headerLength), Int(offload.segmentSize))
        return each > 0 ? max(1, (payload + each - 1) / each) : 1
    }

    // MARK: To and from a batch

    /// A copy of what stands in a batch.
    init(_ packet: borrowing Packet) {
        bytes = unsafe Array(UnsafeRawBufferPointer(packet.contents))
        offload = packet.offload
    }

    /// The packet in a buffer of the pool.
    package func packet(_ pool: BufferPool, peer: PeerID) -> Packet {
        precondition(bytes.count <= Buffer.room(.large), "\(bytes.count) bytes are too many for a packet")
        var packet = Packet(pool.take(Buffer.size(for: bytes.count)), count: bytes.count)
        unsafe packet.contents.copyBytes(from: bytes)
        packet.offload = offload
        packet.peer = peer
        return packet
    }
}

extension TestPacket: CustomStringConvertible {
    /// The most bytes that are shown.
    private static let shown = 80

    package var description: String {
        let hexadecimal = bytes.prefix(Self.shown).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        let cut = offload.segmentSize > 0 ? " in segments of \(offload.segmentSize)" : ""
        return "IPv\(version), \(bytes.count) bytes\(cut): \(hexadecimal)\(bytes.count > Self.shown ? "…" : "")"
    }
}
