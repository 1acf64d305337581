import DSCP
import Pipeline
import StageTestKit
import Testing
import Wire

struct DSCPTests {
    /// EF with ECT(0) below it.
    private static let expedited: UInt8 = 46 << 2 | 0b10

    @Test func `packets to the peer are marked by down, and those from it by up`() throws {
        let bench = try StageBench(DSCP.self, "{ down: ef, up: clear }")
        let peer = try bench.set(0)
        bench.outbound([.udp()], peer)
        #expect(bench.takeDown().packets == [.udp { $0.trafficClass = 46 << 2 }])
        bench.inbound([.udp { $0.trafficClass = 46 << 2 }], peer)
        #expect(bench.takeUp().packets == [.udp()])
        bench.expect(counters: ["packets-marked": 2])
    }

    @Test(arguments: [UInt8(0b00), 0b01, 0b10, 0b11])
    func `the ECN bits stay as they are, in both versions`(_ ecn: UInt8) throws {
        let bench = try StageBench(DSCP.self, "{ down: ef }")
        let peer = try bench.set(0)
        let addresses = [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")]
        for (source, destination) in addresses {
            func packet(_ trafficClass: UInt8) -> TestPacket {
                .tcp(from: source, to: destination) {
                    $0.trafficClass = trafficClass
                    $0.flowLabel = 0xf_a5a5
                }
            }
            bench.outbound([packet(10 << 2 | ecn)], peer)
            #expect(bench.takeDown().packets == [packet(46 << 2 | ecn)])
        }
        bench.expect(counters: ["packets-marked": 2])
    }

    @Test func `every kind of packet is still sound once it is marked`() throws {
        let bench = try StageBench(DSCP.self, "{ down: cs6 }")
        let peer = try bench.set(0)
        let packets: [TestPacket] = [
            .udp(), .tcp(), .echo(), .udp { $0.ipOptions = [1, 1, 1, 0] }, .udp { $0.owesChecksum = true },
            .udp { $0.fragment = 0x2000 }, .udp { $0.transport = .other(89) },
            .udp(from: "fd00::1", to: "fd00::2"), .echo(from: "fd00::1", to: "fd00::2"),
            .error(from: "fd00::9", to: "fd00::2", type: 1, about: .udp(from: "fd00::2", to: "fd00::1")),
        ]
        #expect(packets.compactMap(\.fault) == [])
        bench.outbound(packets, peer)
        let marked = bench.takeDown().packets
        #expect(marked.count == packets.count && marked.compactMap(\.fault) == [])
        #expect(zip(packets, marked).allSatisfy { $0.bytes.count == $1.bytes.count && $0.offload == $1.offload })
        bench.expect(counters: ["packets-marked": packets.count])
    }

    @Test(arguments: [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")])
    func `a super-packet is marked once, and counts as its segments`(_ source: String, _ destination: String) throws {
        let bench = try StageBench(DSCP.self, "{ down: ef }")
        let peer = try bench.set(0)
        func packet(_ trafficClass: UInt8) -> TestPacket {
            .tcp(from: source, to: destination, payload: 60_000) {
                $0.segmentSize = 1000
                $0.trafficClass = trafficClass
            }
        }
        bench.outbound([packet(0b10)], peer)
        let marked = bench.takeDown().packets
        #expect(marked == [packet(Self.expedited)] && marked.compactMap(\.fault) == [])
        bench.expect(counters: ["packets-marked": 60])
    }

    @Test func `a packet that has the mark already is not counted`() throws {
        let bench = try StageBench(DSCP.self, "{ down: ef }")
        let peer = try bench.set(0)
        let packet = TestPacket.udp { $0.trafficClass = Self.expedited }
        bench.outbound([packet], peer)
        #expect(bench.takeDown().packets == [packet])
        bench.expect(counters: [:])
    }

    @Test func `what is no IP packet passes as it is`() throws {
        let bench = try StageBench(DSCP.self, "{ down: ef }")
        let peer = try bench.set(0)
        let packets = [TestPacket(bytes: []), TestPacket(bytes: [0x45]), TestPacket(bytes: [0x52, 0, 0, 20])]
        bench.outbound(packets, peer)
        #expect(bench.takeDown().packets == packets)
        bench.expect(counters: [:])
    }

    @Test func `a peer's own options stand instead of the pipeline's, until they or it are gone`() throws {
        let bench = try StageBench(DSCP.self, "{ down: ef, up: clear }")
        let (own, other) = (try bench.set(0, "{ down: af41 }"), try bench.set(1))
        let colored = TestPacket.udp { $0.trafficClass = 8 << 2 }
        bench.enter([(.udp(), own), (.udp(), other)], 0, .outbound)
        bench.enter([(colored, own), (colored, other)], 0, .inbound)
        #expect(
            bench.takeDown().packets == [.udp { $0.trafficClass = 34 << 2 }, .udp { $0.trafficClass = 46 << 2 }])
        #expect(bench.takeUp().packets == [colored, .udp()], "up is keep where the peer does not name it")
        bench.expect(counters: ["packets-marked": 3])

        try bench.set(0)
        bench.inbound([colored], own)
        #expect(bench.takeUp().packets == [.udp()])
        bench.expect(counters: ["packets-marked": 1])

        try bench.set(0, "{ up: keep }")
        bench.remove(own)
        let another = try bench.set(0)
        bench.inbound([colored], another)
        #expect(bench.takeUp().packets == [.udp()], "who has the number next has none of its options")
        bench.expect(counters: ["packets-marked": 1])
    }

    @Test func `its options change in place, and the counters go on`() throws {
        let bench = try StageBench(DSCP.self, "{ down: ef }")
        let (peer, own) = (try bench.set(0), try bench.set(1, "{ down: keep }"))
        bench.outbound([.udp()], peer)
        #expect(bench.takeDown().packets == [.udp { $0.trafficClass = 46 << 2 }])
        #expect(try bench.reconfigure("{ down: cs1 }"))
        bench.enter([(.udp(), peer), (.udp(), own)], 0, .outbound)
        #expect(bench.takeDown().packets == [.udp { $0.trafficClass = 8 << 2 }, .udp()])
        bench.expect(counters: ["packets-marked": 2])
        #expect(bench.report.counters.map(\.value) == [2] && bench.report.drops.isEmpty)
    }
}
