import Pipeline
import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct GroupTests {
    private static let start: UInt64 = 1_000_000_000

    private func bench(_ group: Limit, peers: [Limit?], interfaces: Int = 1) -> Bench {
        let bench = Bench(interfaces: interfaces)
        bench.stage.set(GroupID(0), group)
        for (peer, limit) in peers.enumerated() { bench.add(peer, limit, group: 0) }
        return bench
    }

    private func bytes(_ departures: [Bench.Departure], of peer: Int) -> Int {
        departures.filter { $0.peer == peer }.reduce(0) { $0 + $1.bytes.count }
    }

    @Test(arguments: [2, 3, 7])
    func `peers of a group share its rate by bytes`(count: Int) {
        let bench = bench(Limit(down: .mbit(8)), peers: Array(repeating: nil, count: count))
        for mark in 0..<300 {
            for peer in 0..<count {
                // Large ones to the first, small ones to the others.
                bench.down(Packets.udp(flow: 1, bytes: peer == 0 ? 1400 : 300, mark: mark), to: peer)
            }
        }
        bench.run(.milliseconds(80))
        let amounts = (0..<count).map { self.bytes(bench.departures, of: $0) }
        #expect((amounts.max() ?? 0) - (amounts.min() ?? 0) <= 10_000 + 2 * 1514, "\(amounts)")
        let total = amounts.reduce(0, +)
        #expect(total >= 88_000 && total <= 91_500, "80 ms, the burst, one that borrows")
    }

    @Test func `a peer is limited by its own rate and by the group's`() {
        let bench = bench(Limit(down: .mbit(8)), peers: [Limit(down: .mbit(2)), nil])
        for mark in 0..<400 {
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 0)
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 1)
        }
        _ = bench.takeDepartures()
        bench.run(.milliseconds(80))
        // 2 Mbit/s are a byte in 4 µs.
        #expect(abs(bytes(bench.departures, of: 0) - 20_000) <= 2000)
        #expect(abs(bytes(bench.departures, of: 1) - 60_000) <= 2000)
    }

    @Test func `and alone it gets no more than its own`() {
        let bench = bench(Limit(down: .mbit(8)), peers: [Limit(down: .mbit(2)), nil])
        for mark in 0..<100 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 0) }
        _ = bench.takeDepartures()
        bench.run(.milliseconds(80))
        #expect(abs(bytes(bench.departures, of: 0) - 20_000) <= 1000)
    }

    @Test func `up is policed by both`() {
        let bench = bench(
            Limit(up: .mbit(8), burst: ByteCount(5000)), peers: [Limit(up: .mbit(8), burst: ByteCount(3000)), nil])
        for mark in 0..<10 { bench.up(Packets.udp(flow: 1, bytes: 1000, mark: mark), from: 0) }
        for mark in 0..<10 { bench.up(Packets.udp(flow: 1, bytes: 1000, mark: mark), from: 1) }
        #expect(bench.admitted.map(\.peer) == [0, 0, 0, 0, 1, 1])
        #expect(bench.counters == ["over-limit": 14])
    }

    @Test func `members on two interfaces take turns`() {
        let bench = bench(Limit(down: .mbit(8)), peers: [nil, nil], interfaces: 2)
        for mark in 0..<100 {
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 0, interface: 0)
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 1, interface: 1)
        }
        _ = bench.takeDepartures()
        bench.run(.milliseconds(40))
        #expect(abs(bytes(bench.departures, of: 0) - bytes(bench.departures, of: 1)) <= 2000)
        #expect(bench.departures.allSatisfy { $0.interface == $0.peer })
    }

    @Test func `a member that goes, leaves or comes does not hold up the others`() {
        let bench = bench(Limit(down: .mbit(8)), peers: [nil, nil, nil])
        for mark in 0..<40 {
            for peer in 0..<3 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: peer) }
        }
        bench.run(.milliseconds(10))
        bench.stage.remove(PeerID(1))
        bench.stage.set(PeerID(2), group: nil)
        bench.run(.microseconds(100))
        #expect(bytes(bench.departures, of: 2) == 40_000, "nothing limits it any more")
        let before = bytes(bench.departures, of: 0)
        bench.run(.milliseconds(10))
        #expect(abs(bytes(bench.departures, of: 0) - before - 10_000) <= 1000)
        bench.stage.set(PeerID(2), group: GroupID(0))
        for mark in 0..<40 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 2) }
        let (first, third) = (bytes(bench.departures, of: 0), bytes(bench.departures, of: 2))
        bench.run(.milliseconds(8))
        #expect(abs(bytes(bench.departures, of: 0) - first - (bytes(bench.departures, of: 2) - third)) <= 2000)
    }

    @Test func `another limit of the group holds at once, and none lets all go`() {
        let bench = bench(Limit(down: .mbit(8)), peers: [nil, nil])
        for mark in 0..<100 {
            for peer in 0..<2 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: peer) }
        }
        _ = bench.takeDepartures()
        bench.stage.set(GroupID(0), Limit(down: .mbit(80)))
        bench.run(.milliseconds(10))
        #expect(abs(bench.takeDepartures().count - 100) <= 2)
        bench.stage.remove(GroupID(0))
        bench.run(.microseconds(100))
        #expect(abs(bench.takeDepartures().count - 89) <= 2)
        #expect(bench.stage.limiter.store.count == 0)
        #expect(bench.stage.limiter.peers.allSatisfy { $0.group == -1 })
    }

    @Test func `a group of peers that are all idle costs nothing`() {
        let bench = bench(Limit(down: .mbit(8), up: .mbit(8)), peers: Array(repeating: nil, count: 100))
        for peer in 0..<100 { bench.down(Packets.udp(flow: 1, bytes: 84), to: peer) }
        bench.run(.seconds(3600))
        #expect(bench.departures.count == 100 && bench.calls == 0)
    }
}
