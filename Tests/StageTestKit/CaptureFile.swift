import Pipeline
import Wire

/// Packets with their moments, as pcap with nanoseconds (LINKTYPE_LINUX_SLL, so that Wireshark and tcpdump show them): "in"
/// is what comes from the wire and "out" what goes there. What pcap has no place for stands in the link-layer address: the
/// peer's number (4 bytes), the segment size of a super-packet (2), the interface's number (1), and 1 where a checksum is
/// owed (1).
package enum CaptureFile {
    package struct Entry: Sendable, Equatable {
        package var moment: Instant
        package var direction: Direction
        package var peer: PeerID
        package var interface: Int
        package var packet: TestPacket

        package init(
            _ packet: TestPacket, _ direction: Direction, peer: Int, interface: Int = 0, at moment: Instant
        ) {
            self.moment = moment
            self.direction = direction
            self.peer = PeerID(peer)
            self.interface = interface
            self.packet = packet
        }
    }

    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    private static let magic: UInt32 = 0xa1b2_3c4d
    private static let linuxCooked: UInt32 = 113
    private static let snapLength: UInt32 = 262_144
    private static let fileHeaderLength = 24
    private static let recordHeaderLength = 16
    private static let linkHeaderLength = 16
    private static let sentByUs: UInt16 = 4
    /// ARPHRD_NONE: packets without a header of a link.
    private static let noLink: UInt16 = 0xfffe

    // MARK: Writing

    package static func bytes(_ entries: [Entry]) -> [UInt8] {
        var bytes = little(magic) + little(UInt16(2)) + little(UInt16(4)) + little(UInt32(0)) + little(UInt32(0))
        bytes += little(snapLength) + little(linuxCooked)
        for entry in entries {
            let packet = entry.packet
            let length = UInt32(linkHeaderLength + packet.bytes.count)
            let (seconds, rest) = entry.moment.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            bytes += little(UInt32(seconds)) + little(UInt32(rest)) + little(length) + little(length)
            bytes += big(entry.direction == .outbound ? sentByUs : 0) + big(noLink) + big(UInt16(8))
            bytes += big(UInt32(entry.peer.index)) + big(packet.offload.segmentSize)
            bytes += [UInt8(entry.interface), packet.offload.needsChecksum ? 1 : 0]
            bytes += big(UInt16(packet.version == 6 ? 0x86dd : 0x0800)) + packet.bytes
        }
        return bytes
    }

    // MARK: Reading

    package static func entries(_ bytes: [UInt8]) throws(Fault) -> [Entry] {
        guard bytes.count >= fileHeaderLength, number(bytes[0..<4].reversed()) == Int(magic),
            number(bytes[20..<24].reversed()) == Int(linuxCooked)
        else { throw Fault(description: "this is not a capture as CaptureFile writes it") }
        var entries: [Entry] = []
        var rest = bytes[fileHeaderLength...]
        while !rest.isEmpty {
            let header = Array(rest.prefix(recordHeaderLength + linkHeaderLength))
            guard header.count == recordHeaderLength + linkHeaderLength else {
                throw Fault(description: "the capture ends within a header")
            }
            let length = number(header[8..<12].reversed())
            guard length >= linkHeaderLength, rest.count >= recordHeaderLength + length else {
                throw Fault(description: "the capture ends within a packet")
            }
            let nanoseconds = number(header[0..<4].reversed()) * 1_000_000_000 + number(header[4..<8].reversed())
            let link = Array(header[recordHeaderLength...])
            var packet = TestPacket(bytes: Array(rest.dropFirst(header.count).prefix(length - linkHeaderLength)))
            packet.offload = try offload(
                of: packet, segmentSize: UInt16(number(link[10..<12])), owesChecksum: link[13] == 1)
            let direction: Direction = number(link[0..<2]) == Int(sentByUs) ? .outbound : .inbound
            entries.append(
                Entry(
                    packet, direction, peer: number(link[6..<10]), interface: Int(link[12]),
                    at: Instant(nanoseconds: UInt64(nanoseconds))))
            rest = rest.dropFirst(recordHeaderLength + length)
        }
        return entries
    }

    /// Worked out again from the packet's headers.
    private static func offload(
        of packet: TestPacket, segmentSize: UInt16, owesChecksum: Bool
    ) throws(Fault) -> Offload {
        guard owesChecksum else { return .none }
        let start = packet.version == 4 ? Int(packet.bytes[0] & 15) * 4 : 40
        let number = packet.version == 4 ? packet.bytes[9] : packet.bytes[6]
        let checksums: [UInt8: Int] = [6: 16, 17: 6, 1: 2, 58: 2]
        guard let checksum = checksums[number], packet.bytes.count > start + 12 || number != 6 else {
            throw Fault(description: "a checksum is owed by a packet of protocol \(number)")
        }
        var offload = Offload(
            needsChecksum: true, checksumStart: UInt16(start), checksumOffset: UInt16(checksum))
        guard segmentSize > 0 else { return offload }
        let transport = number == 17 ? 8 : Int(packet.bytes[start + 12] >> 4) * 4
        offload.segmentation = number == 17 ? .udp : .tcp
        offload.headerLength = UInt16(start + transport)
        offload.segmentSize = segmentSize
        return offload
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private static func big<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> Number($0)) }
    }

    private static func little<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] { big(value).reversed() }
}
