import Pipeline
import Wire

/// What may be spent of a rate: filled by the time that goes by, up to the burst, and emptied by bytes.
///
/// A packet may go while there is no debt, and is charged in full even where it is more than there is: it borrows, so
/// that no packet is too large for a bucket. The unit is what one bit a second is worth in one nanosecond, so nothing is
/// ever rounded: over any time, what goes is the burst, the rate times the time, and one packet at most.
struct TokenBucket: Equatable {
    /// Of `balance`, for each byte: eight bits of a thousand million nanoseconds each.
    static let unitsPerByte: Int64 = 8_000_000_000
    /// With it the balance fits 63 bits.
    static let largestBurst = ByteCount(1_000_000_000)

    private(set) var rate: BitRate
    private var capacity: Int64
    /// Negative: a debt. Of the moment `filled`.
    private(set) var balance: Int64
    private var filled: Instant

    /// A full one.
    init(_ rate: BitRate, burst: ByteCount, now: Instant) {
        self.rate = rate
        capacity = Self.units(burst)
        balance = capacity
        filled = now
    }

    private static func units(_ bytes: ByteCount) -> Int64 {
        Int64(min(bytes, largestBurst).bytes) * unitsPerByte
    }

    /// Another rate from now on. What was saved up or owed stays, as far as the burst has room for it.
    mutating func change(_ rate: BitRate, burst: ByteCount, now: Instant) {
        fill(now)
        self.rate = rate
        capacity = Self.units(burst)
        balance = min(balance, capacity)
    }

    /// Adds what the time since the last call was worth.
    mutating func fill(_ now: Instant) {
        let passed = (now - filled).nanoseconds
        guard passed > 0 else { return }
        filled = now
        // The room may take 64 bits, as what is added may: the sum fits 63 again, being no more than the capacity.
        let room = UInt64(bitPattern: capacity &- balance)
        let (high, low) = rate.bitsPerSecond.multipliedFullWidth(by: passed)
        balance = high > 0 || low >= room ? capacity : balance &+ Int64(bitPattern: low)
    }

    /// The first moment from `now` on at which a packet may go.
    mutating func readiness(_ now: Instant) -> Instant {
        fill(now)
        guard balance < 0 else { return now }
        guard rate.bitsPerSecond > 0 else { return .never }
        let (whole, rest) = balance.magnitude.quotientAndRemainder(dividingBy: rate.bitsPerSecond)
        return now + Interval(nanoseconds: whole + (rest > 0 ? 1 : 0))
    }

    mutating func charge(_ bytes: Int) { balance -= Int64(bytes) * Self.unitsPerByte }
}

extension BitRate {
    /// What the rate carries in that time, the last byte not counted where it is not whole.
    func bytes(in interval: Interval) -> UInt64 {
        let (high, low) = bitsPerSecond.multipliedFullWidth(by: interval.nanoseconds)
        let unit = UInt64(TokenBucket.unitsPerByte)
        return high >= unit ? .max : unit.dividingFullWidth((high, low)).quotient
    }

    /// How long the rate takes for so many bytes.
    func time(for bytes: Int) -> Interval {
        guard bitsPerSecond > 0 else { return Interval(nanoseconds: Instant.never.nanoseconds) }
        return Interval(nanoseconds: UInt64(bytes) * UInt64(TokenBucket.unitsPerByte) / bitsPerSecond)
    }
}
