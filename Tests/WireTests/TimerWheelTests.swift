import Support
import Testing
import Wire

@Suite struct TimerWheelTests {
    private static let tick: UInt64 = 1 << 22

    @Test(arguments: [1, 2, 3, 4] as [UInt64], [22, 16])
    func `fires what a sorted list would, never early and at most a tick late`(seed: UInt64, tickBits: Int) {
        var random = SeededGenerator(seed: seed)
        var now = Instant(nanoseconds: UInt64.random(in: 0..<1 << 50, using: &random))
        var wheel = TimerWheel(now: now, tickBits: tickBits)
        var oracle: [Int: Instant] = [:]
        for _ in 0..<20_000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let id = Int.random(in: 0..<200, using: &random)
                // From at once to beyond the wheel's reach of 19 hours.
                let distance = UInt64.random(in: 0..<1 << UInt64.random(in: 1...47, using: &random), using: &random)
                let deadline = now + Interval(nanoseconds: distance)
                wheel.set(id, deadline)
                oracle[id] = deadline
            case 6:
                let id = Int.random(in: 0..<200, using: &random)
                wheel.set(id, .never)
                oracle[id] = nil
            default:
                let step = UInt64.random(in: 0..<1 << UInt64.random(in: 1...44, using: &random), using: &random)
                now = now + Interval(nanoseconds: step)
                var fired: Set<Int> = []
                wheel.expire(now) { fired.insert($0) }
                for (id, deadline) in oracle {
                    if fired.contains(id) { #expect(deadline <= now) }
                    if deadline.nanoseconds + 1 << tickBits <= now.nanoseconds { #expect(fired.contains(id)) }
                }
                for id in fired {
                    let expected = oracle.removeValue(forKey: id)
                    #expect(expected != nil)
                }
            }
        }
    }

    @Test func `going from deadline to deadline reaches every entry in order without idle turns`() {
        var random = SeededGenerator(seed: 9)
        var wheel = TimerWheel(now: Instant(nanoseconds: 12345))
        var deadlines: [Instant] = []
        for id in 0..<500 {
            let deadline = Instant(nanoseconds: UInt64.random(in: 0..<1 << 46, using: &random))
            deadlines.append(deadline)
            wheel.set(id, deadline)
        }
        var turns = 0
        var fired: [Int] = []
        while wheel.nextDeadline < .never {
            wheel.expire(wheel.nextDeadline) { fired.append($0) }
            turns += 1
        }
        #expect(fired.count == 500)
        // Each entry can move down three times; a wheel that spins would take millions of turns.
        #expect(turns <= 500 * 5)
        for (a, b) in zip(fired, fired.dropFirst()) {
            #expect(deadlines[a].nanoseconds < deadlines[b].nanoseconds + Self.tick)
        }
    }

    @Test func `a deadline in the past fires in the next call`() {
        var wheel = TimerWheel(now: Instant(nanoseconds: 1 << 40))
        wheel.set(3, Instant(nanoseconds: 5))
        #expect(wheel.nextDeadline <= Instant(nanoseconds: 1 << 40))
        var fired: [Int] = []
        wheel.expire(Instant(nanoseconds: 1 << 40)) { fired.append($0) }
        #expect(fired == [3])
        #expect(wheel.nextDeadline == .never)
    }
}
