import Wire

/// Controlled delay for one queue (RFC 8289): says which packets to drop, or to mark, so that what waits longer than
/// `target` for a whole `interval` gets less, one packet at first and then ever more often.
///
/// The names are those of RFC 8289 §5. It is asked about each packet at the head of the queue, in turn, until it lets
/// one go; the loop of the pseudocode is the caller's.
struct CoDel {
    struct Parameters: Equatable {
        /// How long a packet may wait without anything being wrong.
        var target: Interval
        /// How long senders may take to notice: a round trip at the long end.
        var interval: Interval
        /// A queue of so many bytes is none: the packet that the link is busy with.
        var largestPacket: Int

        /// Nothing waits too long.
        static let patient = Parameters(
            target: Interval(nanoseconds: .max), interval: .milliseconds(100), largestPacket: .max)
        static let standard = Parameters(target: .milliseconds(5), interval: .milliseconds(100), largestPacket: 1514)
    }

    /// When it will have been too long for an interval; nil while it is not too long.
    private var firstAboveTime: Instant?
    private(set) var isDropping = false
    /// Packets dropped since the queue was last good.
    private(set) var count: UInt32 = 0
    private var lastCount: UInt32 = 0
    private(set) var dropNext = Instant(nanoseconds: 0)
    /// A drop was said at `dropNext`, and the next one has not been set.
    private var owesNext = false

    /// Within so many intervals it goes on where it left off.
    private static let memory: UInt64 = 16

    /// True when the packet at the head, which has waited for `sojourn`, is to be dropped, and the next one asked about;
    /// or marked, told of by `marked`, and sent. `backlog`: bytes in the queue without it.
    mutating func judges(_ sojourn: Interval, backlog: Int, now: Instant, _ parameters: Parameters) -> Bool {
        let isAbove = isAbove(sojourn, backlog, now, parameters)
        guard isDropping else {
            if isAbove { begin(now, parameters) }
            return isAbove
        }
        guard isAbove else {
            isDropping = false
            owesNext = false
            return false
        }
        if owesNext { setNext(parameters) }
        guard now >= dropNext else { return false }
        if count < .max { count += 1 }
        owesNext = true
        return true
    }

    /// The packet judged last was marked instead: it goes, and the next one is due later.
    mutating func marked(_ parameters: Parameters) { if owesNext { setNext(parameters) } }

    /// There is nothing in the queue.
    mutating func emptied() {
        firstAboveTime = nil
        isDropping = false
        owesNext = false
    }

    private mutating func isAbove(
        _ sojourn: Interval, _ backlog: Int, _ now: Instant, _ parameters: Parameters
    ) -> Bool {
        guard sojourn >= parameters.target, backlog > parameters.largestPacket else {
            firstAboveTime = nil
            return false
        }
        if let firstAboveTime { return now >= firstAboveTime }
        firstAboveTime = now + parameters.interval
        return false
    }

    private mutating func begin(_ now: Instant, _ parameters: Parameters) {
        isDropping = true
        let delta = count - lastCount
        let isRecent = (now - dropNext).nanoseconds < Self.memory * parameters.interval.nanoseconds
        count = delta > 1 && isRecent ? delta : 1
        lastCount = count
        dropNext = Self.law(now, count, parameters.interval)
    }

    private mutating func setNext(_ parameters: Parameters) {
        owesNext = false
        dropNext = Self.law(dropNext, count, parameters.interval)
    }

    // MARK: The control law

    /// `moment` and interval/√count.
    static func law(_ moment: Instant, _ count: UInt32, _ interval: Interval) -> Instant {
        let (high, low) = interval.nanoseconds.multipliedFullWidth(by: inverseRoot(count))
        return moment + Interval(nanoseconds: high << 32 | low >> 32)
    }

    /// 2³²/√n without a division, by Newton's method; n is 1 at least.
    static func inverseRoot(_ n: UInt32) -> UInt64 {
        // A power of two that is at most the root and more than half of it: from there six steps are enough.
        let magnitude = UInt64(UInt32.bitWidth - 1 - n.leadingZeroBitCount) / 2
        var root = UInt64(1) << (31 - magnitude)
        for _ in 0..<6 {
            // root · (3 − n·root²)/2, with two bits less in between so that the product fits.
            let (high, low) = (UInt64(n) &* root).multipliedFullWidth(by: root)
            let rest = (3 << 32) &- (high << 32 | low >> 32)
            root = min((root &* (rest >> 2)) >> 31, UInt64(UInt32.max))
        }
        return root
    }
}
