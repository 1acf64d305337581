import Pipeline
import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct TokenBucketTests {
    /// The same in 128 bits and with a search in the place of a division.
    private struct Oracle {
        static let unit: Int128 = 8_000_000_000
        var rate: UInt64
        var capacity: Int128
        var balance: Int128
        var time: UInt64

        init(_ rate: UInt64, _ burst: UInt64, _ time: UInt64) {
            self.rate = rate
            capacity = Int128(burst) * Self.unit
            balance = capacity
            self.time = time
        }

        mutating func move(to moment: UInt64) {
            balance = min(capacity, balance + Int128(rate) * Int128(moment - time))
            time = moment
        }

        /// The least delay after which there is no debt, bit by bit.
        var delay: UInt64 {
            guard balance < 0 else { return 0 }
            var delay: UInt64 = 0
            for bit in stride(from: 62, through: 0, by: -1) {
                let longer = delay | 1 << UInt64(bit)
                if balance + Int128(rate) * Int128(longer - 1) < 0 { delay = longer }
            }
            return delay
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `counts as an oracle without bounds does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let rate = UInt64.random(in: 8000...(1 << UInt64.random(in: 13...40, using: &random)), using: &random)
            let burst = UInt64.random(in: 0...1_000_000_000, using: &random)
            var now = UInt64.random(in: 0..<1 << 60, using: &random)
            var bucket = TokenBucket(
                BitRate(bitsPerSecond: rate), burst: ByteCount(burst), now: Instant(nanoseconds: now))
            var oracle = Oracle(rate, burst, now)
            for _ in 0..<400 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0:
                    // As far as a clock of 64 bits goes.
                    now += UInt64.random(in: 0...(1 << UInt64.random(in: 0...53, using: &random)), using: &random)
                case 1:
                    let rate = UInt64.random(in: 8000...1_000_000_000_000, using: &random)
                    let burst = UInt64.random(in: 0...1_000_000_000, using: &random)
                    bucket.change(
                        BitRate(bitsPerSecond: rate), burst: ByteCount(burst), now: Instant(nanoseconds: now))
                    oracle.move(to: now)
                    oracle.rate = rate
                    oracle.capacity = Int128(burst) * Oracle.unit
                    oracle.balance = min(oracle.balance, oracle.capacity)
                default:
                    oracle.move(to: now)
                    let ready = bucket.readiness(Instant(nanoseconds: now))
                    #expect(ready.nanoseconds == now + oracle.delay)
                    if ready.nanoseconds > now, Bool.random(using: &random) { now = ready.nanoseconds }
                    oracle.move(to: now)
                    bucket.fill(Instant(nanoseconds: now))
                    // A debt that is as far from the largest burst as 64 bits allow.
                    let most = oracle.balance >= 0 ? 500_000_000 : 1_000_000
                    let bytes = Int.random(in: 1...most, using: &random)
                    bucket.charge(bytes)
                    oracle.balance -= Int128(bytes) * Oracle.unit
                }
                #expect(Int128(bucket.balance) == oracle.balance)
            }
        }
    }

    @Test(arguments: [8000, 1_000_000, 7_777_777, 500_000_000, 1_000_000_000_000] as [UInt64])
    func `a hundred thousand packets take what they take at the rate, to the nanosecond`(rate: UInt64) {
        var bucket = TokenBucket(
            BitRate(bitsPerSecond: rate), burst: ByteCount(1500), now: Instant(nanoseconds: 1_000_000))
        var now = Instant(nanoseconds: 1_000_000)
        var units: Int128 = -1500 * 8_000_000_000
        for packet in 0..<100_000 {
            now = bucket.readiness(now)
            let bytes = 40 + packet % 1461
            bucket.charge(bytes)
            units += Int128(bytes) * 8_000_000_000
        }
        now = bucket.readiness(now)
        let exact = (units + Int128(rate) - 1) / Int128(rate)
        #expect(Int128(now.nanoseconds - 1_000_000) == exact)
    }

    @Test func `a packet that is larger than the burst borrows`() {
        var bucket = TokenBucket(BitRate(bitsPerSecond: 8_000_000), burst: ByteCount(1500), now: at(0))
        #expect(bucket.readiness(at(0)) == at(0))
        bucket.charge(65_500)
        // A byte a microsecond: 64,000 are owed.
        #expect(bucket.readiness(at(0)) == at(64_000))
        #expect(bucket.readiness(at(63_999)) == at(64_000))
        #expect(bucket.readiness(at(64_000)) == at(64_000))
        #expect(bucket.readiness(at(1_000_000)) == at(1_000_000))
        #expect(bucket.balance == 1500 * TokenBucket.unitsPerByte, "no more is saved up than the burst")
    }

    @Test func `another rate holds from when it is set, and the debt stays`() {
        var bucket = TokenBucket(BitRate(bitsPerSecond: 8_000_000), burst: ByteCount(0), now: at(0))
        bucket.charge(1000)
        bucket.change(BitRate(bitsPerSecond: 800_000), burst: ByteCount(500), now: at(400))
        #expect(bucket.readiness(at(400)) == at(6400))
        #expect(bucket.readiness(at(20_000)) == at(20_000))
        #expect(bucket.balance == 500 * TokenBucket.unitsPerByte)
        bucket.change(BitRate(bitsPerSecond: 800_000), burst: ByteCount(100), now: at(20_000))
        #expect(bucket.balance == 100 * TokenBucket.unitsPerByte)
    }

    @Test(
        arguments: [
            (100_000_000, 20, 250_000), (5_000_000, 20, 12_500), (8000, 20, 20), (1_000_000_000_000, 20, 2_500_000_000),
            (12_345_678, 1, 1543),
        ] as [(UInt64, UInt64, UInt64)])
    func `a rate carries so many bytes in a time`(_ rate: UInt64, _ milliseconds: UInt64, _ bytes: UInt64) {
        #expect(BitRate(bitsPerSecond: rate).bytes(in: .milliseconds(milliseconds)) == bytes)
    }

    private func at(_ microseconds: UInt64) -> Instant { Instant(nanoseconds: microseconds * 1000) }
}
