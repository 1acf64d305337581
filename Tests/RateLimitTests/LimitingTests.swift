import Pipeline
import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct LimitingTests {
    private static let start: UInt64 = 1_000_000_000
    /// 8 Mbit/s is a byte a microsecond; the default burst is 10 ms of it, 10,000 bytes.
    private static let eight = Limit(down: .mbit(8), up: .mbit(8))

    private func microseconds(_ departures: [Bench.Departure]) -> [UInt64] {
        departures.map { ($0.at - Self.start) / 1000 }
    }

    /// How late the wheel may be.
    private static let tick: UInt64 = 66

    @Test func `a peer without a limit is not held up`() {
        let bench = Bench()
        bench.add(0)
        for mark in 0..<1000 { bench.down(Packets.udp(flow: 1, bytes: 1400, mark: mark)) }
        bench.up(Packets.udp(flow: 1, bytes: 1400))
        #expect(bench.departures.count == 1000 && bench.admitted.count == 1)
        #expect(bench.stage.nextDeadline == .never)
        #expect(bench.counters.isEmpty)
    }

    @Test func `what goes down leaves as the rate allows, in order, and nothing is lost`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<50 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(bench.departures.count == 11, "the burst, and one that borrows")
        bench.run(.seconds(2))
        let departures = bench.takeDepartures()
        #expect(departures.map { Packets.mark($0.bytes) } == Array(0..<50))
        // A millisecond each, from when the eleventh has been paid for.
        for (index, time) in microseconds(departures).enumerated().dropFirst(11) {
            let exact = UInt64(index - 10) * 1000
            #expect(time >= exact && time <= exact + Self.tick)
        }
        #expect(bench.counters == ["packets-queued": 39])
        #expect(bench.stage.nextDeadline == .never)
    }

    @Test(arguments: [1, 5, 50, 500, 5000] as [UInt64], [64, 1420])
    func `over a second the rate is the rate`(rate: UInt64, size: Int) {
        let bench = Bench(Limit(down: .mbit(rate)))
        bench.add(0)
        let packet = Packets.udp(flow: 1, bytes: size)
        var bytes = 0
        // Offered a bit more than the rate, in bursts of a millisecond; not so much that CoDel has reason to drop.
        let each = max(1, Int(rate * 1_000_000 / 8 / 1000) / size)
        let steps = min(1000, 20_000 / each)
        for _ in 0..<steps {
            if bench.stage.limiter.store.count < 2 * each + 2 { for _ in 0..<(2 * each) { bench.down(packet) } }
            bench.run(.milliseconds(1))
            bytes += bench.takeDepartures().count * size
        }
        let exact = Double(rate) * 1e6 / 8 * Double(steps) / 1000
        let burst = Double(max(rate * 1_000_000 / 800, 3000))
        #expect(Double(bytes) >= exact - Double(2 * size) - exact * 0.001)
        #expect(Double(bytes) <= exact + burst + Double(2 * size))
    }

    @Test func `what comes up is let in as far as the bucket goes`() {
        let bench = Bench(Limit(up: .mbit(8), burst: ByteCount(4000)))
        bench.add(0)
        for mark in 0..<10 { bench.up(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(bench.admitted.map { Packets.mark($0.bytes) } == [0, 1, 2, 3, 4], "four, and one that borrows")
        bench.run(.microseconds(999))
        bench.up(Packets.udp(flow: 1, bytes: 1000, mark: 10))
        bench.run(.microseconds(1))
        bench.up(Packets.udp(flow: 1, bytes: 1000, mark: 11))
        #expect(bench.admitted.last.map { Packets.mark($0.bytes) } == 11)
        #expect(bench.counters == ["over-limit": 6])
        bench.down(Packets.udp(flow: 1, bytes: 1000))
        #expect(bench.departures.count == 1, "the other direction has no limit")
    }

    @Test func `the default burst of up is 128 kB, or 20 ms of a rate that is high`() {
        for (rate, burst) in [(8, 128_000), (100, 250_000)] as [(UInt64, Int)] {
            let bench = Bench(Limit(up: .mbit(rate)))
            bench.add(0)
            for _ in 0..<1000 { bench.up(Packets.udp(flow: 1, bytes: 1000)) }
            #expect(bench.admitted.count == burst / 1000 + 1)
        }
    }

    // MARK: Super-packets

    @Test(arguments: [false, true])
    func `at a low rate a super-packet is cut, and a ping goes between its segments`(isIPv6: Bool) {
        let bench = Bench(Self.eight)
        bench.add(0)
        let (bytes, offload) = Packets.tcp(payload: 40_000, segment: 1000, isIPv6: isIPv6)
        bench.down(bytes, offload: offload)
        bench.run(.milliseconds(5))
        bench.down(Packets.udp(flow: 9, bytes: 84, mark: 1, isIPv6: isIPv6))
        bench.run(.seconds(1))
        let departures = bench.takeDepartures()
        #expect(departures.count == 41)
        for departure in departures where departure.bytes.count != 84 {
            #expect(PacketOracle.fault(departure.bytes) == nil)
        }
        let header = isIPv6 ? 60 : 40
        #expect(departures.filter { $0.bytes.count == 1000 + header }.count == 40)
        let ping = departures.first { $0.bytes.count == 84 }?.at ?? .max
        #expect(ping - Self.start - 5_000_000 <= 1_060_000 + Self.tick * 1000, "a segment's time")
        // Headers are charged with each segment: 41 × (1000 + header) and the ping.
        let total = UInt64(40 * (1000 + header) + 84)
        let last = (departures.last?.at ?? 0) - Self.start
        #expect(last / 1000 + 10_000 + 2200 >= total && last / 1000 <= total)
        #expect(bench.counters == ["packets-queued": 41, "super-packets-cut": 1])
    }

    @Test func `at a high rate it stays whole, and is charged by the bytes of its segments`() {
        let bench = Bench(Limit(down: .mbit(800), burst: ByteCount(1500)))
        bench.add(0)
        let (bytes, offload) = Packets.tcp(payload: 40_000, segment: 1000)
        for _ in 0..<3 { bench.down(bytes, offload: offload) }
        bench.run(.seconds(1))
        let departures = bench.takeDepartures()
        #expect(departures.map(\.bytes) == [bytes, bytes, bytes])
        // 41,600 bytes at 10 ns each, less the burst.
        let times = departures.map { $0.at - Self.start }
        #expect(times[0] == 0)
        #expect(times[1] >= 401_000 && times[1] <= 401_000 + Self.tick * 1000)
        #expect(times[2] >= 817_000 && times[2] <= 817_000 + Self.tick * 1000)
        #expect(bench.counters == ["packets-queued": 80])
    }

    // MARK: Bypass

    @Test func `routing protocols do not wait, and are charged`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<30 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.run(.milliseconds(2))
        _ = bench.takeDepartures()
        bench.down(Packets.udp(flow: 2, bytes: 500, trafficClass: 48 << 2))
        #expect(bench.departures.count == 1)
        #expect(bench.counters == ["packets-queued": 19, "packets-bypassed": 1])
        // Its half millisecond is everybody's.
        let before = bench.now
        bench.run(.seconds(1))
        #expect((bench.departures.last?.at ?? 0) - before.nanoseconds >= 17_500_000)
    }

    @Test func `what is only marked as one cannot take more than the rate`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<200 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark, trafficClass: 48 << 2)) }
        for _ in 0..<300 { bench.up(Packets.udp(flow: 1, bytes: 1000, trafficClass: 48 << 2)) }
        // Down: the burst, a packet, and what comes behind them waits for its own flow. Up: also 50 ms, and a packet.
        #expect(bench.departures.count == 10 + 1 + 51)
        #expect(bench.admitted.count == 128 + 1 + 51)
        // 300 without those. (Compared with a difference, swiftc 6.3 makes both sides AnyHashable and reads beyond one.)
        #expect(bench.counters["over-limit"] == 120)
    }

    @Test func `whoever marks all it has takes a share from others, and no more`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        // Each of the two sends more than the rate.
        for round in 0..<2000 {
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: round, trafficClass: 48 << 2))
            bench.down(Packets.udp(flow: 2, bytes: 1000, mark: round))
            bench.up(Packets.udp(flow: 1, bytes: 1000, mark: round, trafficClass: 48 << 2))
            bench.run(.milliseconds(1))
        }
        let unmarked = bench.departures.filter { $0.bytes[1] == 0 }.count
        #expect(unmarked >= 2000 / 2 - 2000 / 16 - 50, "of the 2,000 packets that the rate has room for: \(unmarked)")
        #expect(bench.departures.count <= 2000 + 10 + 51 + 1)
    }

    @Test func `a flow that is marked stays in order, and its super-packets are cut as others are`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<30 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        var (bytes, offload) = Packets.tcp(payload: 40_000, segment: 1000)
        bytes[1] = 48 << 2  // the header's checksum is nobody's here
        bench.down(bytes, offload: offload)
        #expect(bench.departures.count == 11, "the burst, and one that borrows")
        for mark in 0..<3 { bench.down(Packets.udp(flow: 2, bytes: 500, mark: mark, trafficClass: 48 << 2)) }
        #expect(bench.departures.count == 14, "another flow goes")
        bench.run(.seconds(1))
        #expect(bench.counters["packets-bypassed"] == 3)
        #expect(bench.counters["super-packets-cut"] == 1)
        #expect(bench.departures.map(\.bytes.count).max() == 1040)
    }

    // MARK: Bounds

    @Test func `a peer holds so many packets, and the longest flow pays`() {
        let bench = Bench(Limit(down: .mbit(1)))
        bench.add(0)
        for mark in 0..<20 { bench.down(Packets.udp(flow: 2, bytes: 100, mark: mark)) }
        for mark in 0..<(FlowQueue.packetBound + 500) { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        let dropped = bench.counters["queue-full"] ?? 0
        #expect(dropped > 0 && dropped % 64 == 0)
        #expect(bench.stage.limiter.store.count <= FlowQueue.packetBound)
        #expect(bench.counters["packets-queued"].map { Int($0) } == bench.stage.limiter.store.count + Int(dropped))
    }

    @Test func `all peers together hold so much, and who holds most pays`() {
        let bench = Bench(Limit(down: .mbit(1)))
        for peer in 0..<5 { bench.add(peer) }
        bench.add(5)
        for mark in 0..<10 { bench.down(Packets.udp(flow: 1, bytes: 1400, mark: mark), to: 5) }
        for mark in 0..<7000 {
            for peer in 0..<5 { bench.down(Packets.udp(flow: 1, bytes: 1400, mark: mark), to: peer) }
        }
        #expect(bench.stage.limiter.store.memory <= Limiter.memoryBound)
        #expect((bench.counters["memory-full"] ?? 0) > 5000)
        #expect(bench.counters["queue-full"] == nil)
        bench.run(.milliseconds(200))
        #expect(bench.departures.filter { $0.peer == 5 }.map { Packets.mark($0.bytes) } == Array(0..<10))
    }

    // MARK: Changes

    @Test func `another limit keeps the queue, and holds from then on`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<50 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.run(.milliseconds(9))
        #expect((19...20).contains(bench.takeDepartures().count))
        bench.stage.set(PeerID(0), Limit(down: .mbit(80)))
        bench.run(.milliseconds(4))
        let marks = bench.takeDepartures().map { Packets.mark($0.bytes) }
        #expect(marks.last == 49, "ten times as fast")
        #expect(bench.counters == ["packets-queued": 39])
    }

    @Test func `a limit that goes lets everything go`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<50 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(bench.stage.reconfigure(RateLimit.Options(standard: nil)))
        bench.run(.milliseconds(1))
        #expect(bench.takeDepartures().map { Packets.mark($0.bytes) } == Array(0..<50))
    }

    @Test func `what comes after a limit has gone does not overtake what waits`() {
        let bench = Bench()
        bench.add(0, Self.eight)
        for mark in 0..<50 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.stage.set(PeerID(0), nil)
        // Before the stage has had its turn.
        for mark in 50..<60 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.originate()
        for mark in 60..<70 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(bench.takeDepartures().map { Packets.mark($0.bytes) } == Array(0..<70))
        #expect(bench.counters == ["packets-queued": 49])
    }

    @Test func `what has waited too long for a limit is not dropped once there is none`() {
        let bench = Bench()
        // A packet takes 100 ms, and CoDel, once it drops, wants another one each time.
        bench.add(0, Limit(down: BitRate(bitsPerSecond: 80_000)))
        var mark = 0
        for _ in 0..<500 {
            while bench.stage.limiter.store.count < 200 {
                bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark))
                mark += 1
            }
            bench.run(.milliseconds(90))
        }
        let (dropped, waiting) = (bench.counters["codel"] ?? 0, bench.stage.limiter.store.count)
        #expect(dropped > 100 && waiting > 150)
        bench.stage.set(PeerID(0), nil)
        _ = bench.takeDepartures()
        bench.originate()
        #expect(bench.takeDepartures().map { Packets.mark($0.bytes) } == Array((mark - waiting)..<mark))
        #expect(bench.counters["codel"] == dropped)
    }

    @Test func `a new default is that of peers without a limit of their own`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        bench.add(1, Limit(down: .mbit(16)))
        #expect(bench.stage.reconfigure(RateLimit.Options(standard: Limit(down: .mbit(4)))))
        #expect(bench.stage.limiter.peers.map(\.account.limit.down) == [.mbit(4), .mbit(16)])
        bench.stage.set(PeerID(1), nil)
        #expect(bench.stage.limiter.peers[1].account.limit.down == .mbit(4))
    }

    @Test func `a peer that goes takes what waits for it along, and its number starts anew`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        for mark in 0..<50 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.stage.remove(PeerID(0))
        #expect(bench.counters == ["packets-queued": 39, "peer-gone": 39])
        #expect(bench.stage.limiter.store.count == 0)
        _ = bench.takeDepartures()
        bench.add(0)
        bench.run(.seconds(1))
        #expect(bench.departures.isEmpty)
        for mark in 0..<11 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(bench.departures.count == 11, "a full bucket")
    }

    @Test func `what has departed and found no room goes with its peer too`() {
        let bench = Bench(Self.eight)
        bench.add(0)
        bench.add(1)
        for mark in 0..<20 {
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 0)
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 1)
        }
        _ = bench.takeDepartures()
        bench.stage.limiter.releaseDue(bench.now + .milliseconds(5))
        #expect(bench.stage.limiter.departedCount > 4)
        bench.stage.remove(PeerID(0))
        bench.run(.seconds(1))
        #expect(bench.departures.allSatisfy { $0.peer == 1 })
        #expect(bench.departures.map { Packets.mark($0.bytes) } == Array(11..<20))
        #expect(bench.counters["peer-gone"] == 9)
    }

    @Test func `a stage that leaves the pipeline sends on all that it holds, in order`() {
        let bench = Bench(Self.eight, interfaces: 2)
        bench.add(0)
        bench.add(1)
        for mark in 0..<30 {
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 0, interface: 0)
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 1, interface: 1)
        }
        bench.stage.limiter.releaseDue(bench.now + .milliseconds(2))
        bench.leave()
        for interface in 0..<2 {
            let own = bench.departures.filter { $0.interface == interface }
            #expect(own.map { Packets.mark($0.bytes) } == Array(0..<30))
        }
        #expect(bench.stage.limiter.store.count == 0)
        #expect(bench.counters == ["packets-queued": 38])
    }

    // MARK: Many peers

    @Test func `a thousand idle peers are not looked at`() {
        let bench = Bench(Self.eight)
        for peer in 0..<1000 { bench.add(peer) }
        for peer in 0..<1000 { bench.down(Packets.udp(flow: 1, bytes: 1000), to: peer) }
        bench.run(.seconds(3600))
        #expect(bench.calls == 0)
        // Those that had to wait are seen to once more each, and then never again.
        for peer in 0..<1000 {
            for mark in 0..<15 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: peer) }
        }
        bench.run(.seconds(10))
        #expect(bench.departures.count == 16_000)
        #expect(bench.calls <= 100, "all have the same times")
        let before = bench.calls
        bench.run(.seconds(3600))
        #expect(bench.calls == before)
        #expect(bench.stage.limiter.peers.allSatisfy { $0.queue == nil })
        #expect(bench.stage.limiter.spareQueues.count == 64)
    }

    @Test func `each interface gets its own packets`() {
        let bench = Bench(Self.eight, interfaces: 2)
        bench.add(0)
        bench.add(1)
        for mark in 0..<30 {
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 0, interface: 0)
            bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark), to: 1, interface: 1)
        }
        bench.run(.seconds(1))
        for interface in 0..<2 {
            let own = bench.departures.filter { $0.interface == interface }
            #expect(own.map { Packets.mark($0.bytes) } == Array(0..<30))
            #expect(own.allSatisfy { $0.peer == interface })
        }
    }
}
