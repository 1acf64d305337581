import Pipeline
import StageTestKit
import Testing
import Wire

struct CaptureFileTests {
    private static let packets: [TestPacket] = [
        .udp(), .tcp { $0.owesChecksum = true }, .echo(from: "fd00::1", to: "fd00::2"),
        .tcp(from: "fd00::1", to: "fd00::2", payload: 40_000) { $0.segmentSize = 1340 },
        .udp(payload: 9000) { $0.segmentSize = 1000 }, .tcp { $0.transport = .tcp(options: [1, 1, 1, 1]) },
    ]

    @Test func `what is written is read again as it was`() throws {
        let entries = Self.packets.enumerated().map { index, packet in
            CaptureFile.Entry(
                packet, index % 2 == 0 ? .outbound : .inbound, peer: index, interface: index % 3,
                at: Instant(nanoseconds: 3_000_000_001 * UInt64(index + 1)))
        }
        #expect(try CaptureFile.entries(CaptureFile.bytes(entries)) == entries)
    }

    @Test func `what is cut off is no capture`() {
        let bytes = CaptureFile.bytes([CaptureFile.Entry(.udp(), .outbound, peer: 0, at: .benchStart)])
        for count in 1..<bytes.count where count != 24 {
            #expect(throws: CaptureFile.Fault.self) { try CaptureFile.entries(Array(bytes.prefix(count))) }
        }
    }

    @Test(arguments: packets)
    func `packets of the builder are sound, and one with a changed bit is not`(_ packet: TestPacket) {
        #expect(packet.fault == nil)
        var changed = packet
        changed.bytes[packet.bytes[0] >> 4 == 4 ? 8 : 24] ^= 1
        #expect(changed.fault != nil)
    }
}
