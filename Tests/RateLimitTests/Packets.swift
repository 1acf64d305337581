import Pipeline
import Support
import Wire

/// Packets for the stage, from bytes spelled out.
enum Packets {
    /// UDP from `flow`'s port, so many bytes as an IP packet.
    static func udp(flow: Int, bytes: Int, mark: Int = 0, isIPv6: Bool = false, trafficClass: UInt8 = 0) -> [UInt8] {
        // Without checksums, which nothing looks at, so that a million of them is not too many.
        var packet = [UInt8](repeating: 0, count: bytes)
        let transport = isIPv6 ? 40 : 20
        if isIPv6 {
            (packet[0], packet[1], packet[6], packet[7]) = (0x60 | trafficClass >> 4, trafficClass << 4, 17, 64)
            (packet[4], packet[5]) = (UInt8((bytes - 40) >> 8), UInt8((bytes - 40) & 0xff))
            (packet[8], packet[23], packet[24], packet[39]) = (0xfd, 1, 0xfd, 2)
        } else {
            (packet[0], packet[1], packet[2], packet[3]) = (0x45, trafficClass, UInt8(bytes >> 8), UInt8(bytes & 0xff))
            (packet[8], packet[9], packet[12], packet[15], packet[16], packet[19]) = (64, 17, 10, 1, 10, 2)
        }
        let port = 10_000 + flow
        (packet[transport], packet[transport + 1]) = (UInt8(port >> 8), UInt8(port & 0xff))
        for byte in 0..<4 { packet[transport + 8 + byte] = UInt8(truncatingIfNeeded: mark >> (8 * byte)) }
        return packet
    }

    /// The mark of a packet of `udp`.
    static func mark(_ packet: [UInt8]) -> Int {
        let payload = packet[0] >> 4 == 6 ? 48 : 28
        return (0..<4).reduce(0) { $0 | Int(packet[payload + $1]) << (8 * $1) }
    }

    static func flow(_ packet: [UInt8]) -> Int {
        let port = packet[0] >> 4 == 6 ? 40 : 20
        return (Int(packet[port]) << 8 | Int(packet[port + 1])) - 10_000
    }

    static func packet(_ bytes: [UInt8], to peer: Int, _ pool: BufferPool, offload: Offload = .none) -> Packet {
        var packet = Packet(pool.take(Buffer.size(for: bytes.count)), count: bytes.count)
        unsafe packet.contents.copyBytes(from: bytes)
        packet.peer = PeerID(peer)
        packet.offload = offload
        return packet
    }

    static func bytes(of packet: borrowing Packet) -> [UInt8] { unsafe Array(packet.contents) }

    /// A super-packet of TCP and its description.
    static func tcp(payload count: Int, segment: Int, isIPv6: Bool = false) -> (bytes: [UInt8], offload: Offload) {
        var packet = PlainPacket()
        packet.isIPv6 = isIPv6
        packet.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let transport = isIPv6 ? 40 : 20
        let offload = Offload(
            segmentation: .tcp, needsChecksum: true, headerLength: UInt16(packet.headerLength),
            segmentSize: UInt16(segment), checksumStart: UInt16(transport), checksumOffset: 16)
        return (PacketOracle.owingChecksum(packet.bytes), offload)
    }
}
