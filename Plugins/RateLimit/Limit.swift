import Pipeline

/// What a peer, or a group of them, may use: a rate in each direction, and a volume.
package struct Limit: OptionRecord {
    /// Of what goes to the peer; nil is unlimited.
    package var down: BitRate?
    /// Of what comes from the peer; nil is unlimited.
    package var up: BitRate?
    /// Of both directions; nil leaves it to each.
    package var burst: ByteCount?
    package var quota: Quota?

    package static let none = Limit()

    package init(down: BitRate? = nil, up: BitRate? = nil, burst: ByteCount? = nil, quota: Quota? = nil) {
        self.down = down
        self.up = up
        self.burst = burst
        self.quota = quota
    }

    package init?(_ options: inout OptionReader) {
        down = options.optional(
            "down", in: Self.rates, help: "the rate of packets to the peer; unlimited where it is left out")
        up = options.optional(
            "up", in: Self.rates, help: "the rate of packets from the peer; unlimited where it is left out")
        burst = options.optional("burst", in: Self.bursts, help: "how much may go at once after a pause")
        quota = options.optional("quota", help: "the volume of both directions together, in a period of the calendar")
        if burst != nil, down == nil, up == nil {
            options.error("'burst' belongs to a rate: there is neither 'down' nor 'up'", at: "burst")
        }
    }

    /// At the least of them a packet of 1500 bytes takes a second and a half.
    static let rates = BitRate(bitsPerSecond: 8000)...BitRate(bitsPerSecond: 1_000_000_000_000)
    static let bursts = ByteCount(1500)...TokenBucket.largestBurst
}

/// A volume in each period of the calendar, of both directions together.
package struct Quota: OptionRecord {
    package enum Period: String, OptionChoice {
        case day, week, month
    }

    /// What happens to a peer that has used it up.
    package enum Excess: Equatable, Sendable {
        case block
        /// These rates, where they are below the peer's own.
        case slow(down: BitRate?, up: BitRate?)
    }

    package var total: ByteCount
    package var period: Period
    package var over: Excess

    package init(total: ByteCount, per period: Period, over: Excess) {
        self.total = total
        self.period = period
        self.over = over
    }

    package init?(_ options: inout OptionReader) {
        let total = options.require("total", as: ByteCount.self, help: "the volume")
        let period = options.require("per", as: Period.self, help: "the period, of the calendar in UTC")
        let over = options.require("over", as: Excess.self, help: "what happens once it is used up")
        guard let total, let period, let over else { return nil }
        self.init(total: total, per: period, over: over)
    }
}

extension Quota.Excess: OptionValue {
    package static var shape: OptionShape { .either([.words(["block"]), Rates.shape]) }

    package static func read(_ value: Value, _ diagnostics: Diagnostics) -> Self? {
        if case .scalar(let scalar) = value.content, scalar.text == "block" { return .block }
        guard case .mapping = value.content else {
            diagnostics.error(
                "expected block or rates such as { down: 1mbit, up: 1mbit }, found \(value.found)", at: value.position)
            return nil
        }
        return Rates.read(value, diagnostics).map { .slow(down: $0.down, up: $0.up) }
    }

    private struct Rates: OptionRecord {
        let down: BitRate?
        let up: BitRate?

        init?(_ options: inout OptionReader) {
            down = options.optional("down", in: Limit.rates, help: "the rate of packets to the peer from then on")
            up = options.optional("up", in: Limit.rates, help: "the rate of packets from the peer from then on")
            guard options.has("down") || options.has("up") else {
                options.error("expected 'down', 'up' or both", at: "down")
                return nil
            }
        }
    }
}
