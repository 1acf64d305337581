import Linux
import Wire

/// Whether a worker shares its core with others who want it: then nobody has a core to lend, and who is woken to help only
/// takes the time from somebody else.
struct Crowding: ~Copyable {
    /// Looked at so often, and no more.
    private static let window = Interval.milliseconds(20)
    /// A thread that waits more than one part in so many of the time is crowded.
    private static let tolerance: UInt64 = 20

    private let wait: CoreWait
    private var since: Instant
    private var waited: UInt64 = 0
    private var isCrowded = true

    /// Of the calling thread; nil where the kernel does not say.
    init?(_ now: Instant) {
        guard let wait = try? CoreWait() else { return nil }
        self.wait = wait
        since = now
    }

    mutating func look(_ now: Instant) -> Bool {
        let passed = now - since
        guard passed >= Self.window else { return isCrowded }
        guard let waited = wait.nanoseconds() else { return true }
        isCrowded = waited - self.waited > passed.nanoseconds / Self.tolerance
        (since, self.waited) = (now, waited)
        return isCrowded
    }
}
