import Support
import Wire

/// Packets and frames for tests of the path.
enum Frames {
    /// An ICMP echo request over IPv4, from 10.0.0.`source` to 10.0.0.`destination`.
    static func ping(_ source: UInt8 = 1, _ destination: UInt8 = 2, sequence: UInt16 = 1, count: Int = 84) -> [UInt8] {
        var packet: [UInt8] = [0x45, 0] + big(UInt16(count)) + [0, 1, 0x40, 0, 64, 1, 0, 0]
        packet += [10, 0, 0, source, 10, 0, 0, destination]
        packet += [8, 0, 0, 0, 0x12, 0x34] + big(sequence)
        packet += (0..<max(0, count - 28)).map { UInt8(truncatingIfNeeded: $0) }
        put(PacketOracle.checksum(Array(packet[..<20])), 10, &packet)
        put(PacketOracle.checksum(Array(packet[20...])), 22, &packet)
        return packet
    }

    /// A TCP or UDP packet whose payload tells `mark`.
    static func packet(
        _ source: UInt8 = 1, _ destination: UInt8 = 2, isIPv6: Bool = false, isTCP: Bool = false, port: UInt16 = 443,
        mark: Int = 0, payload: Int = 32
    ) -> PlainPacket {
        var packet = PlainPacket()
        (packet.source, packet.destination) = (source, destination)
        (packet.isIPv6, packet.isTCP, packet.destinationPort) = (isIPv6, isTCP, port)
        packet.identification = UInt16(truncatingIfNeeded: mark)
        packet.payload = (0..<payload).map { index in
            index < 8 ? UInt8(truncatingIfNeeded: mark >> (8 * index)) : UInt8(truncatingIfNeeded: index &* 7 &+ mark)
        }
        return packet
    }

    /// What a packet of the function above says its mark is.
    static func mark(of packet: [UInt8], payload: Int = 32) -> Int {
        packet.suffix(payload).prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    }

    /// A packet of up to 64 KiB as the kernel hands it over, to be cut into payloads of `size` bytes.
    static func superPacket(_ packet: PlainPacket, size: Int) -> (packet: [UInt8], header: VirtioHeader) {
        let network = packet.isIPv6 ? 40 : 20
        var header = VirtioHeader()
        header.flags = VirtioHeader.Flag.needsChecksum
        header.segmentation =
            packet.isTCP
            ? (packet.isIPv6 ? VirtioHeader.Kind.tcp6 : VirtioHeader.Kind.tcp4) : VirtioHeader.Kind.udp
        header.segmentSize = UInt16(size)
        header.headerLength = UInt16(packet.headerLength)
        header.checksumStart = UInt16(network)
        header.checksumOffset = packet.isTCP ? 16 : 6
        return (PacketOracle.owingChecksum(packet.bytes), header)
    }

    /// The packets that a frame written to the host stands for; empty for one that makes no sense.
    static func packets(in frame: [UInt8]) -> [[UInt8]] {
        if frame.count > 10, frame[0] == 0, frame[1] == 0 { return [Array(frame[10...])] }
        return PacketOracle.split(frame: frame) ?? []
    }

    static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    static func put(_ value: UInt16, _ offset: Int, _ packet: inout [UInt8]) {
        packet[offset] = UInt8(value >> 8)
        packet[offset + 1] = UInt8(value & 0xff)
    }
}
