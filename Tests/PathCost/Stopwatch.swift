import Glibc

/// The CPU time of this thread that what it measures takes together.
struct Stopwatch {
    private(set) var nanoseconds = 0

    mutating func measure<Result>(_ body: () -> Result) -> Result {
        let start = Self.now
        defer { nanoseconds += Self.now - start }
        return body()
    }

    /// The same, but what turns out to have done nothing is not counted.
    mutating func measureWork(_ body: () -> Bool) -> Bool {
        let start = Self.now
        let hasWorked = body()
        if hasWorked { nanoseconds += Self.now - start }
        return hasWorked
    }

    private static var now: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
