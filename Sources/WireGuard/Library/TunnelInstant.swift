import Wire

extension Tunnel {
    /// A moment on the caller's clock, in nanoseconds from wherever that clock begins.
    ///
    /// The clock has to be one that never goes back and counts on while the machine sleeps, or else keys live too long:
    /// `ContinuousClock`, CLOCK_BOOTTIME on Linux. A tunnel that is told an earlier moment than before takes it for the
    /// latest it knows.
    ///
    ///     let start = ContinuousClock.now
    ///     func now() -> Tunnel.Instant { Tunnel.Instant(start.duration(to: .now)) }
    public struct Instant: Hashable, Sendable {
        /// Nanoseconds since the clock began.
        public var nanoseconds: UInt64

        /// A moment so many nanoseconds after the clock began.
        public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

        /// A moment that much after the clock began; a negative time is taken for 0.
        public init(_ elapsed: Duration) { nanoseconds = elapsed.wholeNanoseconds }

        init(_ instant: Wire.Instant) { nanoseconds = instant.nanoseconds }

        var instant: Wire.Instant { Wire.Instant(nanoseconds: nanoseconds) }

        /// As the engine may be told it, to which the last moment that there is means never.
        var bounded: Wire.Instant { Wire.Instant(nanoseconds: min(nanoseconds, .max - 1)) }
    }
}

extension Tunnel.Instant: InstantProtocol {
    /// The moment `duration` later, held within what an instant can tell.
    public func advanced(by duration: Duration) -> Tunnel.Instant {
        guard duration < .zero else { return Tunnel.Instant(instant + Interval(duration)) }
        let back = (.zero - duration).wholeNanoseconds
        return Tunnel.Instant(nanoseconds: nanoseconds > back ? nanoseconds - back : 0)
    }

    /// The time from this moment to `other`; negative when `other` is the earlier one.
    public func duration(to other: Tunnel.Instant) -> Duration {
        other < self ? .zero - Duration(instant - other.instant) : Duration(other.instant - instant)
    }

    /// Earlier than.
    public static func < (a: Tunnel.Instant, b: Tunnel.Instant) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension Duration {
    init(_ interval: Interval) {
        let (seconds, nanoseconds) = interval.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(secondsComponent: Int64(seconds), attosecondsComponent: Int64(nanoseconds) * 1_000_000_000)
    }

    /// Held within 0…2⁶⁴ − 1.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return overflow || carry ? .max : sum
    }
}

extension Interval {
    /// A negative time is taken for 0.
    init(_ duration: Duration) { self.init(nanoseconds: duration.wholeNanoseconds) }
}
