import Pipeline
import Wire

/// The buckets and the quota of a peer, or those that the peers of a group share.
struct Account {
    /// So long may one entry take that is sent whole; what takes longer is cut into its segments.
    static let longestEntry = Interval.milliseconds(1)
    /// What routing protocols may take of a rate without waiting: a sixteenth, and so much at once. What is beyond waits as
    /// everything does, so that a mark which anybody can set is no way around others, nor around the limit.
    private static let routingShare: UInt64 = 16
    private static let routingBurst = (time: Interval.milliseconds(50), least: ByteCount(3000))
    /// The default burst of `up`: for so long, and that much at least.
    private static let policedBurst = (time: Interval.milliseconds(20), least: ByteCount(128_000))
    /// The default burst of `down`: what lateness of the thread may cost, and two packets at least.
    private static let shapedBurst = (time: Interval.milliseconds(10), least: ByteCount(3000))

    private(set) var limit: Limit
    private var down: TokenBucket?
    private var up: TokenBucket?
    private var routingDown: TokenBucket?
    private var routingUp: TokenBucket?
    private(set) var meter: QuotaMeter?
    private var isOver = false
    /// The most bytes of an entry of `down` that is sent whole.
    private(set) var wholeBytes = Int.max
    private(set) var codel = CoDel.Parameters.standard

    init(_ limit: Limit, now: Instant, _ wall: () -> WallTime) {
        self.limit = .none
        change(limit, now: now, wall)
    }

    /// Another limit from now on: buckets and quota keep what is in them.
    mutating func change(_ limit: Limit, now: Instant, _ wall: () -> WallTime) {
        self.limit = limit
        if let quota = limit.quota {
            if meter == nil {
                meter = QuotaMeter(quota, now: now, wall())
            } else {
                meter?.change(quota, now: now, wall())
            }
        } else {
            meter = nil
        }
        isOver = meter?.isUsedUp ?? false
        setRates(now)
    }

    private mutating func setRates(_ now: Instant) {
        var (downRate, upRate) = (limit.down, limit.up)
        if isOver, case .slow(let down, let up) = limit.quota?.over {
            downRate = Self.lower(downRate, down)
            upRate = Self.lower(upRate, up)
        }
        Self.set(&down, downRate, limit.burst, Self.shapedBurst, now)
        Self.set(&up, upRate, limit.burst, Self.policedBurst, now)
        Self.setRouting(&routingDown, downRate, now)
        Self.setRouting(&routingUp, upRate, now)
        wholeBytes = downRate.map { Int(clamping: $0.bytes(in: Self.longestEntry)) } ?? .max
        codel = downRate.map { CoDel.Parameters.at($0) } ?? .standard
    }

    private static func lower(_ a: BitRate?, _ b: BitRate?) -> BitRate? {
        guard let a, let b else { return a ?? b }
        return min(a, b)
    }

    private static func setRouting(_ bucket: inout TokenBucket?, _ rate: BitRate?, _ now: Instant) {
        let share = rate.map { BitRate(bitsPerSecond: $0.bitsPerSecond / routingShare) }
        let burst = rate.map { max(ByteCount($0.bytes(in: routingBurst.time)), routingBurst.least) }
        set(&bucket, share, burst, routingBurst, now)
    }

    private static func set(
        _ bucket: inout TokenBucket?, _ rate: BitRate?, _ burst: ByteCount?,
        _ standard: (time: Interval, least: ByteCount), _ now: Instant
    ) {
        guard let rate else {
            bucket = nil
            return
        }
        let burst = burst ?? max(ByteCount(rate.bytes(in: standard.time)), standard.least)
        if bucket == nil {
            bucket = TokenBucket(rate, burst: burst, now: now)
        } else {
            bucket?.change(rate, burst: burst, now: now)
        }
    }

    // MARK: On the path

    var isShaped: Bool { down != nil }
    /// Nothing goes in either direction any more.
    var isBlocked: Bool { isOver && limit.quota?.over == .block }

    /// The first moment from `now` on at which a packet may go.
    mutating func readiness(_ direction: Direction, _ now: Instant) -> Instant {
        switch direction {
        case .outbound: down?.readiness(now) ?? now
        case .inbound: up?.readiness(now) ?? now
        }
    }

    /// Whether a routing protocol's packet may go, which need not wait for the debt of others to be paid.
    mutating func isReadyForRouting(_ direction: Direction, _ now: Instant) -> Bool {
        switch direction {
        case .outbound: routingDown?.readiness(now) ?? now <= now
        case .inbound: routingUp?.readiness(now) ?? now <= now
        }
    }

    /// Charges a packet that did not wait; it is charged as every other one too.
    mutating func chargeRouting(_ direction: Direction, _ bytes: Int) {
        switch direction {
        case .outbound: routingDown?.charge(bytes)
        case .inbound: routingUp?.charge(bytes)
        }
    }

    mutating func charge(_ direction: Direction, _ bytes: Int, _ now: Instant) {
        switch direction {
        case .outbound: down?.charge(bytes)
        case .inbound: up?.charge(bytes)
        }
        guard meter != nil else { return }
        meter?.charge(bytes)
        reconsider(now)
    }

    /// Looks at the calendar when it is time; true when other rates hold now.
    mutating func look(_ now: Instant, _ wall: () -> WallTime) -> Bool {
        guard let meter, meter.nextLook <= now else { return false }
        let wasOver = isOver
        self.meter?.look(now, wall())
        reconsider(now)
        return isOver != wasOver
    }

    /// When the calendar may end the slower rate that what waits waits for.
    var nextLook: Instant { isOver ? meter?.nextLook ?? .never : .never }

    /// What was used of the quota before a restart.
    mutating func remember(_ memory: String, _ now: Instant) {
        meter?.remember(memory)
        reconsider(now)
    }

    private mutating func reconsider(_ now: Instant) {
        let isOver = meter?.isUsedUp ?? false
        guard isOver != self.isOver else { return }
        self.isOver = isOver
        setRates(now)
    }
}

extension CoDel.Parameters {
    /// Where a packet takes longer than the standard's target allows, waiting for one is no reason to drop the next.
    static func at(_ rate: BitRate) -> CoDel.Parameters {
        let packet = standard.largestPacket
        let target = max(standard.target, rate.time(for: packet + packet / 2))
        return CoDel.Parameters(
            target: target, interval: standard.interval + (target - standard.target), largestPacket: packet)
    }
}
