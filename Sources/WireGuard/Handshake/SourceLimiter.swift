import Wire

/// How many handshakes each address may begin: a bucket for each, asked only under load and only after a cookie has
/// proved that the address is the sender's (P-3.12).
///
/// An IPv6 address counts as its /64, of which one customer has all.
struct SourceLimiter {
    /// What one handshake costs, and the most that an address can have saved up.
    private static let cost = 1_000_000_000 / Protocol.handshakesPerSource  // ns
    private static let most = cost * Protocol.handshakeBurstPerSource  // ns
    /// A bucket that was not used for so long is full, and can be forgotten.
    private static let idle = Interval.seconds(1)

    private struct Source: Hashable {
        let family: IPAddress.Family
        let bits: UInt64

        init(_ address: IPAddress) {
            family = address.family
            bits = address.family == .v4 ? UInt64(address.v4Bits) : address.high
        }
    }

    private struct Bucket {
        /// Nanoseconds saved up at `last`.
        var saved: UInt64
        var last: Instant
    }

    private let bound: Int
    private var buckets: [Source: Bucket] = [:]
    private var lastSweep = Instant(nanoseconds: 0)

    init(bound: Int = Limits.countedSources) { self.bound = bound }

    var count: Int { buckets.count }

    /// Whether `address` may begin a handshake now; counts it if so.
    mutating func admits(_ address: IPAddress, _ now: Instant) -> Bool {
        sweep(now)
        let source = Source(address)
        guard let bucket = buckets[source] else {
            guard buckets.count < bound else { return false }
            buckets[source] = Bucket(saved: Self.most - Self.cost, last: now)
            return true
        }
        let saved = min(Self.most, bucket.saved + (now - bucket.last).nanoseconds)
        guard saved >= Self.cost else {
            buckets[source] = Bucket(saved: saved, last: now)
            return false
        }
        buckets[source] = Bucket(saved: saved - Self.cost, last: now)
        return true
    }

    private mutating func sweep(_ now: Instant) {
        guard now - lastSweep >= Self.idle else { return }
        lastSweep = now
        if !buckets.isEmpty { buckets = buckets.filter { now - $0.value.last < Self.idle } }
    }
}
