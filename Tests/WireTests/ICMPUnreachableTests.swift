import Support
import Testing
import Wire

/// Who may be told that his packet cannot be delivered, and how (P-4.15 to P-4.17).
@Suite struct ICMPUnreachableTests {
    private struct Row: CustomStringConvertible {
        var name: String
        var isIPv6 = false
        var answered: Bool
        var change: (inout [UInt8]) -> Void = { _ in }
        var description: String { name }
    }

    private func address(_ bytes: [UInt8], at offset: Int) -> (inout [UInt8]) -> Void {
        { $0.replaceSubrange(offset..<offset + bytes.count, with: bytes) }
    }

    /// Turns a packet into ICMP of a type.
    private func icmp(_ type: UInt8, v6: Bool = false) -> (inout [UInt8]) -> Void {
        { packet in
            packet[v6 ? 6 : 9] = v6 ? 58 : 1
            packet[v6 ? 40 : 20] = type
        }
    }

    private var rows: [Row] {
        [
            Row(name: "TCP", answered: true),
            Row(name: "TCP, v6", isIPv6: true, answered: true),
            Row(name: "from 0.0.0.0", answered: false, change: address([0, 0, 0, 0], at: 12)),
            Row(name: "from this network", answered: false, change: address([0, 1, 2, 3], at: 12)),
            Row(name: "from loopback", answered: false, change: address([127, 0, 0, 1], at: 12)),
            Row(name: "from a group", answered: false, change: address([224, 0, 0, 5], at: 12)),
            Row(name: "from everybody", answered: false, change: address([255, 255, 255, 255], at: 12)),
            Row(name: "to a group", answered: false, change: address([239, 1, 1, 1], at: 16)),
            Row(name: "to everybody", answered: false, change: address([255, 255, 255, 255], at: 16)),
            Row(name: "to the class before groups", answered: true, change: address([223, 255, 255, 255], at: 16)),
            Row(name: "first fragment", answered: true, change: address([0x20, 0], at: 6)),
            Row(name: "later fragment", answered: false, change: address([0x20, 1], at: 6)),
            Row(name: "last fragment", answered: false, change: address([0, 9], at: 6)),
            Row(name: "echo request", answered: true, change: icmp(8)),
            Row(name: "echo reply", answered: true, change: icmp(0)),
            Row(name: "unreachable", answered: false, change: icmp(3)),
            Row(name: "source quench", answered: false, change: icmp(4)),
            Row(name: "redirect", answered: false, change: icmp(5)),
            Row(name: "time exceeded", answered: false, change: icmp(11)),
            Row(name: "parameter problem", answered: false, change: icmp(12)),
            Row(name: "timestamp", answered: true, change: icmp(13)),
            Row(
                name: "from ::, v6", isIPv6: true, answered: false,
                change: address([UInt8](repeating: 0, count: 16), at: 8)),
            Row(
                name: "from ::1, v6", isIPv6: true, answered: false,
                change: address([UInt8](repeating: 0, count: 15) + [1], at: 8)),
            Row(name: "from a group, v6", isIPv6: true, answered: false, change: address([0xff, 2], at: 8)),
            Row(name: "to a group, v6", isIPv6: true, answered: false, change: address([0xff, 2], at: 24)),
            Row(name: "echo request, v6", isIPv6: true, answered: true, change: icmp(128, v6: true)),
            Row(name: "unreachable, v6", isIPv6: true, answered: false, change: icmp(1, v6: true)),
            Row(name: "an error to come, v6", isIPv6: true, answered: false, change: icmp(127, v6: true)),
            Row(name: "redirect, v6", isIPv6: true, answered: false, change: icmp(137, v6: true)),
            Row(name: "neighbour solicitation, v6", isIPv6: true, answered: true, change: icmp(135, v6: true)),
            Row(name: "a fragment, v6", isIPv6: true, answered: false) { $0[6] = 44 },
            Row(name: "an endless header, v6", isIPv6: true, answered: false) {
                $0[6] = 0; $0[41] = 255
            },
        ]
    }

    @Test func whoMayBeTold() {
        for row in rows {
            var packet = PlainPacket()
            packet.isIPv6 = row.isIPv6
            packet.payload = [UInt8](repeating: 0, count: 40)
            var bytes = packet.bytes
            row.change(&bytes)
            let answered = unsafe bytes.withUnsafeBytes { unsafe IPPacket($0).map { ICMPUnreachable.mayAnswer($0) } }
            #expect(answered == row.answered, "\(row)")
        }
    }

    @Test func headersAloneAreEnoughToTell() {
        var packet = PlainPacket().bytes
        packet[9] = 1
        let answered = unsafe packet.withUnsafeBytes {
            unsafe IPPacket(UnsafeRawBufferPointer(rebasing: $0.prefix(20))).map { ICMPUnreachable.mayAnswer($0) }
        }
        #expect(answered == false, "ICMP whose type is not there may be an error")
    }

    @Test func theMessageForIPv4() {
        let packet = PlainPacket().bytes
        let message = ICMPUnreachable.message(quoting: packet, .v4)
        #expect(message.prefix(2) == [3, 1])
        #expect(message[4..<8] == [0, 0, 0, 0])
        #expect(Array(message[8...]) == packet)
        #expect(PacketOracle.checksum(message) == 0, "with its checksum it adds up to nothing")
    }

    @Test func theMessageForIPv6LeavesTheChecksumToTheKernel() {
        let message = ICMPUnreachable.message(quoting: PlainPacket().bytes, .v6)
        #expect(message.prefix(4) == [1, 3, 0, 0])
    }

    @Test func longPacketsAreQuotedInPart() {
        let long = [UInt8](repeating: 7, count: 65_535)
        #expect(ICMPUnreachable.message(quoting: long, .v4).count + 20 == 576)
        #expect(ICMPUnreachable.message(quoting: long, .v6).count + 40 == 1280)
    }
}
