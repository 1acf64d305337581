import Glibc
import Wire

/// The two clocks of the program. Only loops read them; what lies below is handed moments.
package enum Clocks {
    /// CLOCK_BOOTTIME: never goes back, and counts through suspend.
    package static func now() -> Instant {
        let time = read(CLOCK_BOOTTIME)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// CLOCK_REALTIME: for stamps and people.
    package static func wallTime() -> WallTime {
        let time = read(CLOCK_REALTIME)
        return WallTime(seconds: UInt64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        // Fails only for a clock that does not exist; Linux has had both since 2.6.39.
        unsafe clock_gettime(clock, &time)
        return time
    }
}
