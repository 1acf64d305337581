import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct CoDelTests {
    @Test func `the inverse root is exact to two units of 2⁻³²`() {
        var random = SeededGenerator(seed: 1)
        var numbers = [UInt32](1...5000) + [.max]
        for bit in UInt32(2)..<32 {
            let power = UInt32(1) << bit
            numbers += [power - 1, power, power + 1]
        }
        for _ in 0..<5000 { numbers.append(UInt32.random(in: 1...UInt32.max, using: &random)) }
        for number in numbers {
            let exact = 4_294_967_296 / Double(number).squareRoot()
            let missing = exact - Double(CoDel.inverseRoot(number))
            #expect(abs(missing) <= 2, "of \(number)")
        }
    }

    /// interval/√n for n drops: RFC 8289 §4.4.
    @Test(
        arguments: [
            (1, 100_000), (2, 70_710), (3, 57_735), (4, 50_000), (5, 44_721), (10, 31_622), (100, 10_000),
            (10_000, 1000),
        ] as [(UInt32, UInt64)])
    func `the control law`(_ count: UInt32, _ microseconds: UInt64) {
        let next = CoDel.law(Instant(nanoseconds: 5_000_000), count, .milliseconds(100))
        let expected = 5_000_000 + microseconds * 1000
        #expect(next.nanoseconds + 2 >= expected && next.nanoseconds <= expected + 1000)
    }

    /// A queue that stands at 20 ms and 30 kB, looked at each millisecond.
    private func drops(until end: UInt64, marks: Bool = false) -> [UInt64] {
        var codel = CoDel()
        var drops: [UInt64] = []
        for millisecond in 0...end {
            let now = Instant(nanoseconds: millisecond * 1_000_000)
            while codel.judges(.milliseconds(20), backlog: 30_000, now: now, .standard) {
                drops.append(millisecond)
                guard marks else { continue }
                codel.marked(.standard)
                break
            }
        }
        return drops
    }

    @Test(arguments: [false, true])
    func `a queue that stands loses packets ever more often`(marks: Bool) {
        // The first after an interval, then 100/√1, 100/√2, 100/√3, … later: 200, 270.7, 328.4, 378.4, 423.2, 464.0, …
        #expect(drops(until: 620, marks: marks) == [100, 200, 271, 329, 379, 424, 464, 502, 538, 571, 603])
    }

    @Test func `nothing is dropped before an interval is over, nor where it was good once in it`() {
        var codel = CoDel()
        for millisecond in UInt64(0)..<1000 {
            let sojourn: Interval = millisecond % 100 == 99 ? .microseconds(4999) : .milliseconds(50)
            let now = Instant(nanoseconds: millisecond * 1_000_000)
            let isJudged = codel.judges(sojourn, backlog: 30_000, now: now, .standard)
            #expect(!isJudged)
        }
    }

    @Test func `one packet in the queue is none too many, however long it took`() {
        var codel = CoDel()
        for millisecond in UInt64(0)..<1000 {
            let now = Instant(nanoseconds: millisecond * 1_000_000)
            let isJudged = codel.judges(.seconds(1), backlog: 1514, now: now, .standard)
            #expect(!isJudged)
        }
    }

    @Test func `bad again within 16 intervals, it goes on where it left off`() {
        var codel = CoDel()
        func run(_ range: Range<UInt64>, _ sojourn: Interval) -> [UInt64] {
            range.filter { millisecond in
                codel.judges(sojourn, backlog: 30_000, now: Instant(nanoseconds: millisecond * 1_000_000), .standard)
            }
        }
        #expect(run(0..<600, .milliseconds(20)).count == 10)
        #expect(run(600..<610, .milliseconds(1)).isEmpty)
        // 100 ms after it got bad; 10 − 1 = 9 packets are a third of the interval.
        #expect(run(610..<760, .milliseconds(20)) == [710, 744])
        #expect(run(760..<770, .milliseconds(1)).isEmpty)
        // Far later it begins anew.
        #expect(run(5000..<5250, .milliseconds(20)) == [5100, 5200])
    }

    // MARK: Against the pseudocode

    /// RFC 8289 §5 written down as it stands there, over a queue of arrival times and sizes.
    private struct Pseudocode {
        var queue: [(arrival: UInt64, size: Int)] = []
        var firstAboveTime: UInt64 = 0
        var dropNext: UInt64 = 0
        var count: UInt32 = 0
        var lastCount: UInt32 = 0
        var dropping = false
        var dropped: [UInt64] = []

        private mutating func doDequeue(_ now: UInt64) -> (packet: (arrival: UInt64, size: Int)?, okToDrop: Bool) {
            guard !queue.isEmpty else {
                firstAboveTime = 0
                return (nil, false)
            }
            let packet = queue.removeFirst()
            let bytes = queue.reduce(0) { $0 + $1.size }
            if now - packet.arrival < 5_000_000 || bytes <= 1514 {
                firstAboveTime = 0
            } else if firstAboveTime == 0 {
                firstAboveTime = now + 100_000_000
            } else if now >= firstAboveTime {
                return (packet, true)
            }
            return (packet, false)
        }

        private func law(_ time: UInt64, _ count: UInt32) -> UInt64 {
            CoDel.law(Instant(nanoseconds: time), count, .milliseconds(100)).nanoseconds
        }

        mutating func dequeue(_ now: UInt64) -> UInt64? {
            var result = doDequeue(now)
            if dropping {
                if !result.okToDrop { dropping = false }
                while now >= dropNext, dropping {
                    if let packet = result.packet { dropped.append(packet.arrival) }
                    count += 1
                    result = doDequeue(now)
                    if !result.okToDrop { dropping = false } else { dropNext = law(dropNext, count) }
                }
            } else if result.okToDrop {
                if let packet = result.packet { dropped.append(packet.arrival) }
                result = doDequeue(now)
                dropping = true
                let delta = count - lastCount
                count = 1
                if delta > 1, now - min(now, dropNext) < 16 * 100_000_000 { count = delta }
                dropNext = law(now, count)
                lastCount = count
            }
            return result.packet?.arrival
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `drops what the pseudocode of the RFC drops`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pseudocode = Pseudocode()
        var codel = CoDel()
        var queue: [(arrival: UInt64, size: Int)] = []
        var dropped: [UInt64] = []
        var now: UInt64 = 1_000_000_000
        var arrivals = 3
        for step in 0..<30_000 {
            now += UInt64.random(in: 100_000...1_200_000, using: &random)
            if step % 1000 == 0 { arrivals = Int.random(in: 1...4, using: &random) }
            for _ in 0..<Int.random(in: 0..<arrivals, using: &random) where queue.count < 200 {
                let packet = (arrival: now + UInt64(queue.count), size: Int.random(in: 40...1514, using: &random))
                queue.append(packet)
                pseudocode.queue.append(packet)
            }
            let expected = pseudocode.dequeue(now + 1000)
            var delivered: UInt64?
            while delivered == nil {
                guard !queue.isEmpty else {
                    codel.emptied()
                    break
                }
                let packet = queue.removeFirst()
                let backlog = queue.reduce(0) { $0 + $1.size }
                let sojourn = Interval(nanoseconds: now + 1000 - packet.arrival)
                if codel.judges(sojourn, backlog: backlog, now: Instant(nanoseconds: now + 1000), .standard) {
                    dropped.append(packet.arrival)
                } else {
                    delivered = packet.arrival
                }
            }
            #expect(delivered == expected)
            guard queue.count == pseudocode.queue.count else {
                Issue.record("apart after \(step) steps")
                return
            }
        }
        #expect(dropped == pseudocode.dropped)
        #expect(dropped.count > 100)
    }
}
