import Locking
import Pipeline
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
            (31 * 86_400 - 1, 30, 4, 0), (31 * 86_400, 31, 5, 1),  // February
            (951_782_399, 11_015, 1573, 361), (951_782_400, 11_016, 1574, 361), (951_868_800, 11_017, 1574, 362),
            (1_709_164_800, 19_782, 2826, 649), (1_709_251_200, 19_783, 2826, 650),  // 29 February 2024, 1 March
            (1_735_689_599, 20_088, 2869, 659), (1_735_689_600, 20_089, 2870, 660),  // New Year 2025
            (4_107_542_400, 47_541, 6792, 1562),  // 1 March 2100, which is not a leap year
        ] as [(UInt64, Int64, Int64, Int64)])
    func `days, weeks and months are those of the calendar`(
        _ seconds: UInt64, _ day: Int64, _ week: Int64, _ month: Int64
    ) {
        let moment = WallTime(seconds: seconds, nanoseconds: 0)
        #expect(QuotaMeter.number(of: .day, moment) == day)
        #expect(QuotaMeter.number(of: .month, moment) == month)
        #expect(QuotaMeter.number(of: .week, moment) == (day + 3) / 7)
        _ = week
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
        #expect(bench.stage.peers[0].account.limit.down == .mbit(8))
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
