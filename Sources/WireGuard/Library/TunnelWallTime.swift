import Locking
import Wire

extension Tunnel {
    /// A date: seconds and nanoseconds since 1970 (UTC, CLOCK_REALTIME).
    ///
    /// Handshakes are stamped with it, and a responder takes only stamps that grow: a tunnel that starts with a date
    /// before the one of its last life is not answered until the date has caught up.
    public struct WallTime: Hashable, Sendable {
        /// Whole seconds since 1970.
        public let seconds: UInt64
        /// What is beyond them: 0…999,999,999.
        public let nanoseconds: UInt32

        /// Nanoseconds from 1,000,000,000 on count as the seconds that they are.
        public init(seconds: UInt64, nanoseconds: UInt32 = 0) {
            self.seconds = seconds &+ UInt64(nanoseconds / 1_000_000_000)
            self.nanoseconds = nanoseconds % 1_000_000_000
        }

        /// The date that much after the start of 1970; a negative time is taken for 0.
        public init(since1970 elapsed: Duration) {
            let (seconds, nanoseconds) = elapsed.wholeNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            self.init(seconds: seconds, nanoseconds: UInt32(nanoseconds))
        }

        init(_ time: Wire.WallTime) { self.init(seconds: time.seconds, nanoseconds: time.nanoseconds) }

        var time: Wire.WallTime { Wire.WallTime(seconds: seconds, nanoseconds: nanoseconds) }
    }
}

extension Tunnel.WallTime: Comparable {
    /// Earlier than.
    public static func < (a: Tunnel.WallTime, b: Tunnel.WallTime) -> Bool {
        (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
    }
}

/// The date as the tunnel's engine reads it: what it was at one moment, and the time since then.
///
/// Locked because the engine asks for a function that may be called from anywhere; only the tunnel's caller ever does.
final class TunnelCalendar: Sendable {
    private struct State {
        var date: Tunnel.WallTime
        var since: Instant
        var now: Instant
    }

    private let state: Guarded<State>

    init(_ date: Tunnel.WallTime, at now: Instant) { state = Guarded(State(date: date, since: now, now: now)) }

    func set(_ date: Tunnel.WallTime, at now: Instant) {
        state.withLock { $0 = State(date: date, since: now, now: now) }
    }

    func move(to now: Instant) { state.withLock { $0.now = now } }

    var date: WallTime {
        state.withLock { state in
            let (seconds, nanoseconds) = (state.now - state.since).nanoseconds.quotientAndRemainder(
                dividingBy: 1_000_000_000)
            // Both parts are below 10⁹: their sum fits.
            let date = Tunnel.WallTime(
                seconds: state.date.seconds &+ seconds, nanoseconds: state.date.nanoseconds + UInt32(nanoseconds))
            return date.time
        }
    }
}
