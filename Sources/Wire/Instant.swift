/// A moment on a clock that never goes back and counts through suspend (CLOCK_BOOTTIME), in nanoseconds.
///
/// Nothing below the worker loop reads a clock: moments are handed in, so that everything runs under virtual time.
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: UInt64

    @inlinable package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Later than every moment: the deadline of what waits for nothing.
    package static let never = Instant(nanoseconds: .max)

    @inlinable package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    /// Saturates at `never`.
    @inlinable package static func + (a: Instant, b: Interval) -> Instant {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return overflow ? Instant(nanoseconds: .max) : Instant(nanoseconds: sum)
    }

    /// The time from `b` to `a`, 0 where `b` is the later one.
    @inlinable package static func - (a: Instant, b: Instant) -> Interval {
        Interval(nanoseconds: a.nanoseconds > b.nanoseconds ? a.nanoseconds - b.nanoseconds : 0)
    }
}

/// A length of time, never negative, in nanoseconds.
package struct Interval: Comparable, Hashable, Sendable {
    package var nanoseconds: UInt64

    @inlinable package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    @inlinable package static func seconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count * 1_000_000_000) }
    @inlinable package static func milliseconds(_ count: UInt64) -> Interval {
        Interval(nanoseconds: count * 1_000_000)
    }
    @inlinable package static func microseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count * 1000) }

    @inlinable package static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable package static func + (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds + b.nanoseconds)
    }

    /// 0 where `b` is the longer one.
    @inlinable package static func - (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds > b.nanoseconds ? a.nanoseconds - b.nanoseconds : 0)
    }

    package var seconds: Double { Double(nanoseconds) / 1e9 }
}

/// Seconds and nanoseconds since 1970 (CLOCK_REALTIME): for TAI64N stamps and for people, never for timers (P-9.5).
package struct WallTime: Hashable, Sendable {
    package var seconds: UInt64
    package var nanoseconds: UInt32

    @inlinable package init(seconds: UInt64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}
