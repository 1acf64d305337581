import Locking
import Wire

/// The time of a test: moves only when it is told to. The wall clock runs with it, and can be set apart from it.
final class VirtualClock: Sendable {
    private struct State {
        var now = Instant(nanoseconds: 1_000_000_000_000)
        var wall = WallTime(seconds: 1_700_000_000, nanoseconds: 0)
        var wallSetAt = Instant(nanoseconds: 1_000_000_000_000)
    }
    private let state = Guarded(State())

    var now: Instant {
        get { state.withLock { $0.now } }
        set { state.withLock { $0.now = newValue } }
    }

    var wall: WallTime {
        state.withLock { state in
            let passed = (state.now - state.wallSetAt).nanoseconds + UInt64(state.wall.nanoseconds)
            return WallTime(
                seconds: state.wall.seconds + passed / 1_000_000_000,
                nanoseconds: UInt32(passed % 1_000_000_000))
        }
    }

    /// Somebody sets the wall clock.
    func setWall(_ time: WallTime) {
        state.withLock { state in
            state.wall = time
            state.wallSetAt = state.now
        }
    }
}

extension Instant {
    /// When the timer wheel fires a deadline of this moment: at the start of the first tick that is not before it.
    var onTick: Instant { Instant(nanoseconds: ((nanoseconds + (1 << 22) - 1) >> 22) << 22) }
}
