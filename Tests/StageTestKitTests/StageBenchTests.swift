import Pipeline
import StageTestKit
import Testing
import Wire

/// The bench sees what is wrong with a stage.
struct StageBenchTests {
    @Test func `a stage that does as it should leaves nothing to complain of`() throws {
        let bench = try StageBench(Hold.self, "{ delay: 10ms }", interfaces: 2)
        let (a, b) = (try bench.set(0), try bench.set(1, "{ delay: 20ms }"))
        bench.outbound([.udp(mark: 1), .udp(mark: 2)], a, interface: 1)
        bench.inbound([.udp(mark: 3)], b)
        #expect(bench.heldBuffers == 3 && bench.takeDown().isEmpty)
        let start = bench.now
        bench.run(.milliseconds(15))
        let down = bench.takeDown()
        #expect(down.packets == [.udp(mark: 1), .udp(mark: 2)] && down.peers == [a, a])
        #expect(down.moments == [start + .milliseconds(10), start + .milliseconds(10)])
        #expect(down.map(\.interface) == [InterfaceID(1), InterfaceID(1)])
        bench.expect(counters: ["packets-released": 2, "packets-held": 1])
        bench.remove(b)
        bench.expect(dropped: Hold.Drop.peerGone, counters: ["packets-held": -1])
        #expect(bench.takeUp().isEmpty && bench.heldBuffers == 0)
        #expect((bench.entered, bench.left) == (3, 2))
    }

    @Test func `a super-packet counts as its segments`() throws {
        let bench = try StageBench(Hold.self, "{ delay: 1ms }")
        let peer = try bench.set(0)
        bench.outbound([.tcp(payload: 2500) { $0.segmentSize = 1000 }], peer)
        #expect(bench.entered == 3 && bench.heldBuffers == 1)
        bench.expect(counters: ["packets-held": 3])
        bench.remove(peer)
        bench.expect(dropped: Hold.Drop.peerGone, 3, counters: ["packets-held": -3])
    }

    @Test func `more packets than a batch has room for are several batches`() throws {
        let bench = try StageBench(Hold.self, "{ delay: 1ms }")
        let peer = try bench.set(0)
        bench.outbound((0..<1200).map { .udp(mark: $0) }, peer)
        bench.run(.milliseconds(1))
        #expect(bench.takeDown().packets == (0..<1200).map { .udp(mark: $0) })
        bench.expect(counters: ["packets-released": 1200])
    }

    @Test func `a counter that nobody expected is an issue`() throws {
        let complaints = try Self.complaints("{ delay: 1ms }") { bench in
            bench.outbound([.udp()], try bench.set(0))
            bench.run(.milliseconds(1))
        }
        #expect(complaints == ["counters moved by packets-released 1, expected was nothing"])
    }

    @Test func `a counter that did not move as expected is an issue, once`() throws {
        let complaints = try Self.complaints("{ delay: 1ms }") { bench in
            bench.expect(dropped: Hold.Drop.peerGone, 2, counters: ["packets-released": 1])
            bench.expect()
        }
        #expect(
            complaints == ["counters moved by nothing, expected was packets-released 1, dropped peer-gone 2"])
    }

    @Test func `a buffer that is not given back is an issue`() throws {
        let complaints = try Self.complaints("{ delay: 1ms, fault: lose }") { bench in
            bench.outbound([.udp(), .udp()], try bench.set(0))
        }
        #expect(complaints == ["hold has neither passed on nor given back 2 buffers"])
    }

    @Test func `a packet of a peer that is gone is an issue`() throws {
        let complaints = try Self.complaints("{ delay: 1ms, fault: keep }") { bench in
            let peer = try bench.set(0)
            bench.outbound([.udp()], peer)
            bench.remove(peer)
            bench.run(.milliseconds(1))
            bench.expect(counters: ["packets-released": 1])
        }
        #expect(complaints == ["a packet of peer 0, who is not there, came out"])
    }

    @Test func `a stage that owes for ever is an issue`() throws {
        let complaints = try Self.complaints("{ delay: 1ms, fault: owe }") { _ in }
        #expect(complaints.first == "hold asks for a turn again and again at 1000000000 ns")
    }

    @Test func `a stage that leaves lets go of what it holds, of every interface, before it is time`() throws {
        let bench = try StageBench(Hold.self, "{ delay: 10ms }", interfaces: 2)
        let peer = try bench.set(0)
        bench.outbound((0..<700).map { .udp(mark: $0) }, peer)
        bench.inbound([.udp(mark: 700)], peer, interface: 1)
        bench.expect(counters: ["packets-held": 701])
        #expect(bench.leave() == 701)
        #expect(bench.takeDown().packets == (0..<700).map { .udp(mark: $0) })
        #expect(bench.takeUp().packets == [.udp(mark: 700)] && bench.heldBuffers == 0)
    }

    @Test(
        arguments: [
            ("take", "hold has left and kept 2 buffers"), ("drop", "hold has dropped packets when it left"),
        ])
    func `a stage that leaves and loses what it held is an issue`(_ fault: String, _ complaint: String) throws {
        let complaints = try Self.complaints("{ delay: 1ms, fault: \(fault) }") { bench in
            bench.outbound([.udp(), .udp()], try bench.set(0))
            bench.expect(counters: ["packets-held": 2])
            bench.leave()
        }
        #expect(complaints == [complaint])
    }

    @Test func `a stage is told of groups, and of their peers before those go`() throws {
        let bench = try StageBench(Witness.self)
        let group = try bench.setGroup(1, "{ rank: 3 }")
        let (a, b) = (try bench.set(0, group: group), try bench.set(1))
        bench.put(b, in: group)
        bench.remove(a)
        bench.remove(group)
        try bench.setGroup(0)
        bench.finish()
        let stage = try #require(bench.stage as? Witness)
        #expect(
            stage.told == [
                "group 1: 3", "peer 0 in 1", "peer 0", "peer 1", "peer 1 in 1", "peer 0 gone", "peer 1 in none",
                "group 1 gone", "group 0: none", "peer 1 gone", "group 0 gone",
            ])
    }

    @Test(
        arguments: [
            ("none", []), ("forget", ["recall had to know '2' of peer 0 and knows nothing"]),
            (
                "lines",
                ["group 0", "peer 0"].map { "recall has to know of \($0) what is no line of printable ASCII" }
            ),
        ])
    func `a stage that does not know after a restart what it had to is an issue`(
        _ fault: String, _ complaints: [String]
    ) throws {
        let list = Complaints()
        let bench = try StageBench(Recall.self, "{ fault: \(fault) }") { text, _ in list.texts.append(text) }
        try bench.setGroup(0)
        let peer = try bench.set(0, group: GroupID(0))
        try bench.set(1)
        bench.outbound([.udp(), .udp()], peer)
        #expect(bench.expectMemoriesOverRestart() == 2)
        bench.finish()
        #expect(list.texts == complaints)
    }

    @Test func `options of a group are read as in a file`() throws {
        let bench = try StageBench(Witness.self)
        #expect(throws: OptionsText.Problem.self) { try bench.setGroup(0, "{ rnk: 3 }") }
    }

    /// What a bench complains of until it is gone.
    private static func complaints(_ options: String, _ body: (StageBench) throws -> Void) throws -> [String] {
        let list = Complaints()
        try body(try StageBench(Hold.self, options) { text, _ in list.texts.append(text) })
        return list.texts
    }

    private final class Complaints { var texts: [String] = [] }

    @Test func `options are read as in a file, and told of as there`() throws {
        let error = #expect(throws: OptionsText.Problem.self) { try StageBench(Hold.self, "{ dellay: 1ms }") }
        #expect(
            error?.description == """
                hold:1:1: 'delay' is missing in the options of hold
                { dellay: 1ms }
                ^
                hold:1:3: unknown key 'dellay' (did you mean 'delay'?)
                { dellay: 1ms }
                  ^
                """)
    }
}
