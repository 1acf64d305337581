import Glibc
import Linux
import Locking
import Logging
import Synchronization
import Wire
import WireGuard

/// Saves the greatest time stamps of a router's peers now and then, and at the end, on a thread of its own.
final class TimestampKeeper: Sendable {
    /// Between two looks. A crash loses the stamps of so long: initiations of that time could be played again. More often
    /// would wear out the flash of small machines.
    private static let interval = Interval.seconds(300)

    private let file: TimestampFile
    private let wakeup: Doorbell
    private let isStopped = Atomic(false)
    private let log: Logger
    /// What the file says.
    private let saved: Guarded<TimestampFile.Stamps>
    /// Said once; the disk of a router that runs for years may be full for days.
    private let hasComplained = Atomic(false)

    init(_ file: TimestampFile, _ log: Logger) throws(Errno) {
        self.file = file
        self.log = log
        wakeup = try Doorbell()
        saved = Guarded([:])
        file.prepare()
    }

    /// What the last run has left; with a word in the log where it cannot be read.
    func load() -> TimestampFile.Stamps {
        do throws(Errno) {
            let (stamps, malformed) = try file.load()
            if malformed > 0 { log.warning("\(file.path): \(malformed) lines are no time stamps, left out") }
            saved.withLock { $0 = stamps }
            return stamps
        } catch {
            log.warning("the time stamps of the last run are lost: \(error)")
            return [:]
        }
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.ring()
    }

    /// Saves what `stamps` gives, where it has changed, until `stop` and once more then.
    func run(_ stamps: () -> TimestampFile.Stamps) {
        repeat {
            var waiting = pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waiting, 1, CInt(Self.interval.nanoseconds / 1_000_000))
            save(stamps())
        } while !isStopped.load(ordering: .acquiring)
    }

    private func save(_ stamps: TimestampFile.Stamps) {
        guard saved.withLock({ $0 != stamps }) else { return }
        do throws(Errno) {
            try file.save(stamps)
            saved.withLock { $0 = stamps }
            hasComplained.store(false, ordering: .relaxed)
        } catch {
            guard !hasComplained.exchange(true, ordering: .relaxed) else { return }
            log.warning("cannot keep the peers' time stamps over a restart: \(error)")
        }
    }
}
