import Locking
import Pipeline
import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct QuotaTests {
    /// Of 2023-11-14 22:13:20 UTC, a Tuesday, and `days` later.
    private static func wall(_ seconds: UInt64) -> WallTime {
        WallTime(seconds: 1_700_000_000 + seconds, nanoseconds: 0)
    }

    @Test(
        arguments: [
            (0, 0, 0, 0), (86_399, 0, 0, 0), (86_400, 1, 0, 0),  // 1970-01-01, a Thursday
            (4 * 86_400 - 1, 3, 0, 0), (4 * 86_400, 4, 1, 0),  // Monday the 5th
            (31 * 86_400 - 1, 30, 4, 0), (31 * 86_400, 31, 4, 1),  // February
            (951_782_399, 11_015, 1574, 361), (951_782_400, 11_016, 1574, 361), (951_868_800, 11_017, 1574, 362),
            (1_709_164_800, 19_782, 2826, 649), (1_709_251_200, 19_783, 2826, 650),  // 29 February 2024, 1 March
            (1_735_689_599, 20_088, 2870, 659), (1_735_689_600, 20_089, 2870, 660),  // New Year 2025
            (4_107_542_400, 47_541, 6792, 1562),  // 1 March 2100, which is not a leap year
        ] as [(UInt64, Int64, Int64, Int64)])
    func `days, weeks and months are those of the calendar`(
        _ seconds: UInt64, _ day: Int64, _ week: Int64, _ month: Int64
    ) {
        let moment = WallTime(seconds: seconds, nanoseconds: 0)
        #expect(QuotaMeter.number(of: .day, moment) == day)
        #expect(QuotaMeter.number(of: .month, moment) == month)
        #expect(QuotaMeter.number(of: .week, moment) == week)
    }

    private final class Calendar: Sendable {
        private let seconds = Guarded<UInt64>(0)
        private let looks = Guarded(0)
        var now: WallTime {
            looks.withLock { $0 += 1 }
            return QuotaTests.wall(seconds.withLock { $0 })
        }
        var count: Int { looks.withLock { $0 } }
        func set(_ value: UInt64) { seconds.withLock { $0 = value } }
    }

    private func bench(_ quota: Quota, _ calendar: Calendar, down: BitRate? = nil) -> Bench {
        let bench = Bench(wall: { calendar.now })
        bench.add(0, Limit(down: down, quota: quota))
        return bench
    }

    @Test func `both directions count, and then nothing goes until the day is over`() {
        let calendar = Calendar()
        let bench = bench(Quota(total: ByteCount(10_000), per: .day, over: .block), calendar)
        for _ in 0..<8 {
            bench.down(Packets.udp(flow: 1, bytes: 1000))
            bench.up(Packets.udp(flow: 1, bytes: 1000))
        }
        #expect(bench.departures.count == 5 && bench.admitted.count == 5)
        #expect(bench.counters == ["over-quota": 6])
        // 22:13:20 is 6400 s before midnight.
        for (seconds, isOpen) in [(3599, false), (6399, false), (6400, true)] as [(UInt64, Bool)] {
            bench.run(.seconds(seconds) - (bench.now - Instant(nanoseconds: 1_000_000_000)))
            calendar.set(seconds)
            let before = bench.departures.count
            bench.down(Packets.udp(flow: 1, bytes: 1000))
            #expect((bench.departures.count > before) == isOpen, "\(seconds)")
        }
    }

    @Test func `over it, slower rates hold, and what waits stays`() {
        let calendar = Calendar()
        let quota = Quota(total: ByteCount(20_000), per: .month, over: .slow(down: .mbit(1), up: nil))
        let bench = bench(quota, calendar, down: .mbit(8))
        for mark in 0..<40 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.run(.milliseconds(10))
        let before = bench.takeDepartures().count
        #expect((20...21).contains(before))
        bench.run(.milliseconds(80))
        // A byte in 8 µs.
        #expect((9...11).contains(bench.takeDepartures().count))
        #expect(bench.stage.limiter.peers[0].account.limit.down == .mbit(8))
        #expect(bench.counters["over-quota"] == nil)
    }

    @Test func `a rate that is slower than the slow one stays`() {
        let calendar = Calendar()
        let quota = Quota(total: ByteCount(0), per: .day, over: .slow(down: .mbit(100), up: .mbit(1)))
        let bench = bench(quota, calendar, down: .mbit(8))
        for mark in 0..<40 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(bench.departures.count == 11)
        for _ in 0..<200 { bench.up(Packets.udp(flow: 1, bytes: 1000)) }
        #expect(bench.admitted.count == 129, "up has one now")
    }

    @Test func `the calendar is looked at once an hour, and a clock that is set back gives nothing back`() {
        let calendar = Calendar()
        let bench = bench(Quota(total: ByteCount(1000), per: .day, over: .block), calendar)
        let looks = calendar.count
        for second in 0..<7000 {
            bench.run(.seconds(1))
            // Set back by a day.
            calendar.set(0)
            bench.down(Packets.udp(flow: 1, bytes: 100))
            _ = second
        }
        #expect(calendar.count - looks == 1)
        #expect(bench.departures.count == 10)
        bench.run(.seconds(3600))
        calendar.set(86_400 * 2)
        bench.down(Packets.udp(flow: 1, bytes: 100))
        #expect(bench.departures.count == 11)
    }

    @Test(arguments: [false, true]) func `when the slow rate ends, what waits goes without another packet`(
        inGroup: Bool
    ) {
        let calendar = Calendar()
        let quota = Quota(total: ByteCount(20_000), per: .day, over: .slow(down: BitRate(bitsPerSecond: 8), up: nil))
        let bench = bench(quota, calendar, down: .mbit(8))
        if inGroup {
            bench.stage.set(PeerID(0), Limit.none)
            bench.stage.set(GroupID(0), Limit(down: .mbit(8), quota: quota))
            bench.stage.set(PeerID(0), group: GroupID(0))
        }
        for mark in 0..<40 { bench.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        bench.run(.seconds(60))
        #expect((20...22).contains(bench.takeDepartures().count))
        // Midnight is in 6400 s; without it the next packet would go a thousand seconds after the last.
        bench.run(.seconds(3539))
        calendar.set(3600)
        bench.run(.seconds(2800))
        _ = bench.takeDepartures()
        calendar.set(6400)
        bench.run(.seconds(2))
        #expect(bench.takeDepartures().count >= 10)
        #expect(bench.counters["over-quota"] == nil)
    }

    @Test func `a clock that was ahead once is believed after a day, and gives nothing back`() {
        let calendar = Calendar()
        calendar.set(86_400 * 365 * 70)
        let quota = Quota(total: ByteCount(1000), per: .month, over: .block)
        let bench = bench(quota, calendar)
        func goes() -> Bool {
            let before = bench.departures.count
            bench.down(Packets.udp(flow: 1, bytes: 1000))
            return bench.departures.count > before
        }
        #expect(goes() && !goes())
        var hour: UInt64 = 0
        func pass(days: UInt64) {
            for _ in 0..<days * 24 {
                hour += 1
                calendar.set(hour * 3600)
                bench.run(.seconds(3600))
                _ = goes()
            }
        }
        pass(days: 2)
        #expect(!goes(), "November is not over")
        #expect(bench.memory() == "month 646 1000")
        let before = bench.departures.count
        pass(days: 15)
        #expect(bench.departures.count == before + 1, "December")
    }

    // MARK: Over a restart

    /// Another run's stage, which is told what the earlier one has said.
    private func restarted(_ earlier: Bench, _ quota: Quota, _ calendar: Calendar, down: BitRate? = nil) -> Bench {
        let bench = bench(quota, calendar, down: down)
        if let memory = earlier.memory() { bench.stage.remember(memory, of: PeerID(0)) }
        return bench
    }

    @Test func `what is used stays used over a restart`() {
        let calendar = Calendar()
        let quota = Quota(total: ByteCount(10_000), per: .month, over: .block)
        let first = bench(quota, calendar)
        #expect(first.memory() == nil, "nothing to know")
        for _ in 0..<3 {
            first.down(Packets.udp(flow: 1, bytes: 1000))
            first.up(Packets.udp(flow: 1, bytes: 1000))
        }
        #expect(first.memory() == "month 646 6000")
        let second = restarted(first, quota, calendar)
        #expect(second.memory() == "month 646 6000")
        for _ in 0..<3 {
            second.down(Packets.udp(flow: 1, bytes: 1000))
            second.up(Packets.udp(flow: 1, bytes: 1000))
        }
        #expect(second.departures.count == 2 && second.admitted.count == 2)
        #expect(second.counters == ["over-quota": 2])
        let third = restarted(second, quota, calendar)
        third.down(Packets.udp(flow: 1, bytes: 1000))
        third.up(Packets.udp(flow: 1, bytes: 1000))
        #expect(third.counters == ["over-quota": 2], "blocked from its first packet on")
    }

    /// November 2023 is month 646, its 14th day 19,675, in week 2811.
    @Test(
        arguments: [
            (.month, "month 646 7000", 7000), (.day, "day 19675 7000", 7000), (.week, "week 2811 7000", 7000),
            (.month, "month 645 7000", nil), (.day, "day 19674 7000", nil), (.week, "week 2810 7000", nil),
            // A clock that is behind, as before the network has told it.
            (.month, "month 647 7000", 7000),
            // The file has another kind of period now.
            (.month, "day 19675 7000", nil), (.day, "month 646 7000", nil),
            (.month, "", nil), (.month, "month", nil), (.month, "month 646", nil), (.month, "month 646 -1", nil),
            (.month, "month 646 1 1", nil), (.month, "month x 1", nil), (.month, "year 646 1", nil),
            (.month, "month 646 18446744073709551616", nil), (.month, "month 646 18446744073709551615", nil),
        ] as [(Quota.Period, String, Int?)])
    func `what an earlier run has said holds in its own period`(
        _ period: Quota.Period, _ memory: String, _ used: Int?
    ) throws {
        let bench = bench(Quota(total: ByteCount(7000), per: period, over: .block), Calendar())
        bench.stage.remember(memory, of: PeerID(0))
        bench.down(Packets.udp(flow: 1, bytes: 1000))
        #expect(bench.departures.count == (used == nil ? 1 : 0))
        #expect(bench.stage.limiter.peers[0].account.meter?.used == UInt64(used ?? 1000))
    }

    @Test func `a month that ends while the router is down begins anew, and one whose end comes later then`() {
        let calendar = Calendar()
        let quota = Quota(total: ByteCount(5000), per: .month, over: .block)
        let first = bench(quota, calendar)
        for _ in 0..<8 { first.down(Packets.udp(flow: 1, bytes: 1000)) }
        #expect(first.departures.count == 5)
        // A second before December, at which the clock of the machine has been put back to 1970 meanwhile.
        let december: UInt64 = 16 * 86_400 + 6400
        calendar.set(december - 1)
        let second = restarted(first, quota, calendar)
        second.down(Packets.udp(flow: 1, bytes: 1000))
        #expect(second.departures.isEmpty)
        calendar.set(december)
        second.run(.seconds(1))
        second.down(Packets.udp(flow: 1, bytes: 1000))
        #expect(second.departures.count == 1 && second.memory() == "month 647 1000")
        let third = restarted(first, quota, calendar)
        for _ in 0..<8 { third.down(Packets.udp(flow: 1, bytes: 1000)) }
        #expect(third.departures.count == 5)
    }

    @Test func `slower rates hold from the first packet after a restart, and another total counts what was used`() {
        let calendar = Calendar()
        let quota = Quota(total: ByteCount(20_000), per: .month, over: .slow(down: .mbit(1), up: nil))
        let first = bench(quota, calendar, down: .mbit(8))
        for mark in 0..<40 { first.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        first.run(.milliseconds(100))
        let second = restarted(first, quota, calendar, down: .mbit(8))
        for mark in 0..<40 { second.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        #expect(second.departures.count == 4, "the burst of 1 Mbit/s, 3 kB, and one that borrows")
        second.run(.milliseconds(80))
        #expect((13...15).contains(second.departures.count))
        let larger = Quota(total: ByteCount(50_000), per: .month, over: .block)
        let third = restarted(second, larger, calendar)
        for mark in 0..<40 { third.down(Packets.udp(flow: 1, bytes: 1000, mark: mark)) }
        let used = first.departures.count + second.departures.count + third.departures.count
        #expect(used == 50)
    }

    @Test func `a group's quota stays used too`() {
        let limit = Limit(quota: Quota(total: ByteCount(3000), per: .week, over: .block))
        func bench(_ memory: String?) -> Bench {
            let bench = Bench(wall: { Self.wall(0) })
            bench.stage.set(GroupID(0), limit)
            for peer in 0..<2 { bench.add(peer, nil, group: 0) }
            if let memory { bench.stage.remember(memory, of: GroupID(0)) }
            return bench
        }
        let first = bench(nil)
        for peer in 0..<2 { first.down(Packets.udp(flow: 1, bytes: 1000), to: peer) }
        #expect(first.memory(of: 0) == nil && first.memory(of: 1) == nil)
        let memory = first.stage.memory(of: GroupID(0))
        #expect(memory == "week 2811 2000")
        let second = bench(memory)
        for peer in 0..<2 { second.down(Packets.udp(flow: 1, bytes: 1000), to: peer) }
        #expect(second.departures.map(\.peer) == [0])
        #expect(second.counters == ["over-quota": 1])
        // Of nobody: told of what is not there any more.
        second.stage.remember("week 2811 1", of: GroupID(9))
        second.stage.remember("week 2811 1", of: PeerID(9))
        #expect(second.stage.memory(of: GroupID(9)) == nil && second.memory(of: 9) == nil)
    }

    /// With a restart after any packet, on any day, the same packets go as without one.
    @Test(arguments: 0..<UInt64(10)) func `restarts by chance change nothing`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let period: Quota.Period = [.day, .week, .month][Int.random(in: 0..<3, using: &random)]
        let quota = Quota(total: ByteCount(UInt64.random(in: 0...40_000, using: &random)), per: period, over: .block)
        let (calendar, day) = (Calendar(), UInt64(86_400))
        let whole = bench(quota, calendar)
        var parts = [bench(quota, calendar)]
        var seconds: UInt64 = 0
        for _ in 0..<2000 {
            let pause = Bool.random(using: &random) ? 0 : UInt64.random(in: 0...day / 4, using: &random)
            seconds += pause
            calendar.set(seconds)
            if Int.random(in: 0..<20, using: &random) == 0, let last = parts.last {
                parts.append(restarted(last, quota, calendar))
            }
            guard let part = parts.last else { return }
            for bench in [whole, part] { bench.run(.seconds(pause)) }
            let packet = Packets.udp(flow: 1, bytes: Int.random(in: 100...1400, using: &random))
            if Bool.random(using: &random) {
                for bench in [whole, part] { bench.down(packet) }
            } else {
                for bench in [whole, part] { bench.up(packet) }
            }
            #expect(part.memory() == whole.memory())
        }
        #expect(parts.count > 20)
        #expect(parts.flatMap(\.departures).map(\.bytes) == whole.departures.map(\.bytes))
        #expect(parts.flatMap(\.admitted).map(\.bytes) == whole.admitted.map(\.bytes))
    }

    @Test func `another total keeps what is used`() {
        let calendar = Calendar()
        let bench = bench(Quota(total: ByteCount(5000), per: .day, over: .block), calendar)
        for _ in 0..<10 { bench.down(Packets.udp(flow: 1, bytes: 1000)) }
        #expect(bench.departures.count == 5)
        bench.stage.set(PeerID(0), Limit(quota: Quota(total: ByteCount(8000), per: .day, over: .block)))
        for _ in 0..<10 { bench.down(Packets.udp(flow: 1, bytes: 1000)) }
        #expect(bench.departures.count == 8)
    }
}
