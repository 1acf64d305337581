import DSCP
import Pipeline
import StageTestKit
import Testing
import Wire

struct GoldenTests {
    @Test func `packets in, packets out, and every counter`() throws {
        let traffic: [TestPacket] = [
            .udp(mark: 1), .tcp(from: "fd00::1", to: "fd00::2", mark: 2) { $0.trafficClass = 0x2b },
            .echo { $0.trafficClass = 46 << 2 | 1 },
            .tcp(payload: 5000) {
                $0.segmentSize = 1200
                $0.trafficClass = 0x02
            },
        ]
        var input: [CaptureFile.Entry] = []
        for peer in 0..<3 {
            for packet in traffic {
                let moment = Instant.benchStart + .milliseconds(UInt64(input.count))
                input.append(CaptureFile.Entry(packet, .outbound, peer: peer, at: moment))
                guard packet.offload == .none else { continue }
                input.append(CaptureFile.Entry(packet, .inbound, peer: peer, at: moment))
            }
        }
        try GoldenCase("marks").check(DSCP.self, input: input)
    }
}
