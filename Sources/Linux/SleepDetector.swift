import CLinux
import Glibc
import Wire

/// Tells that the machine has slept: CLOCK_BOOTTIME counts through suspend, CLOCK_MONOTONIC does not.
///
/// A timer on the real-time clock that is cancelled whenever that clock is set wakes whoever waits for it: resuming
/// sets it (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET).
package struct SleepDetector: ~Copyable {
    /// Less is no suspend, but the time between two readings.
    package static let least = Interval.milliseconds(100)

    private let timer: FileDescriptor
    private var slept: Interval
    /// How long the machine has slept since it was started.
    private let sleptSinceBoot: () -> Interval

    /// `sleptSinceBoot` is the system's unless a test says.
    package init(sleptSinceBoot: @escaping () -> Interval = systemSleptSinceBoot) throws(Errno) {
        timer = try Self.openTimer()
        self.sleptSinceBoot = sleptSinceBoot
        slept = sleptSinceBoot()
    }

    private static func openTimer() throws(Errno) -> FileDescriptor {
        let timer = try FileDescriptor(
            timerfd_create(CLOCK_REALTIME, CInt(TFD_CLOEXEC | TFD_NONBLOCK)), "timerfd_create")
        try arm(timer.rawValue)
        return timer
    }

    /// For `poll`: readable after the clock was set.
    package var rawValue: CInt { timer.rawValue }

    /// How long the machine has slept since the last call; nil when it has not.
    package mutating func sleptAgain() throws(Errno) -> Interval? {
        var expirations: UInt64 = 0
        _ = unsafe read(timer.rawValue, &expirations, MemoryLayout<UInt64>.size)
        try Self.arm(timer.rawValue)
        let before = slept
        slept = sleptSinceBoot()
        let length = slept - before
        return length >= Self.least ? length : nil
    }

    /// For a day that does not come: what matters is that setting the clock cancels it.
    private static func arm(_ timer: CInt) throws(Errno) {
        var when = itimerspec()
        when.it_value.tv_sec = .max >> 1
        let flags = CInt(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)
        try Errno.check(unsafe timerfd_settime(timer, flags, &when, nil), "timerfd_settime")
    }

    /// CLOCK_MONOTONIC stands still while the machine sleeps, CLOCK_BOOTTIME does not (clock_gettime(2)).
    package static func systemSleptSinceBoot() -> Interval { reading(CLOCK_BOOTTIME) - reading(CLOCK_MONOTONIC) }

    private static func reading(_ clock: clockid_t) -> Instant {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
