import Linux
import Locking
import Logging
import Wire
import WireGuard

/// What workers have to say, written out by a thread of its own: whoever reads the log slowly, or not at all, never
/// holds up a packet.
final class EventLog: Sendable {
    /// The most entries that wait; more are counted and mentioned once there is room again.
    private static let bound = 4096

    private struct Waiting {
        var entries: [(PeerID, PeerEvent)] = []
        var lost = 0
        var isStopped = false
    }

    private let waiting = Guarded(Waiting())
    private let wakeup: Doorbell
    private let log: RouterLog

    init(_ log: RouterLog) throws(Errno) {
        self.log = log
        wakeup = try Doorbell()
    }

    /// Takes over what a worker has noted. Never waits for the log's reader.
    func add(_ notes: [(PeerID, PeerEvent)]) {
        waiting.withLock { waiting in
            let fitting = notes.prefix(Self.bound - waiting.entries.count)
            waiting.entries += fitting
            waiting.lost += notes.count - fitting.count
        }
        wakeup.ring()
    }

    func stop() {
        waiting.withLock { $0.isStopped = true }
        wakeup.ring()
    }

    /// Writes until `stop`, and then what is left.
    func run() {
        while true {
            let now = waiting.withLock { waiting in
                defer { waiting.entries = []; waiting.lost = 0 }
                return waiting
            }
            for (peer, event) in now.entries { log.note(peer, event) }
            if now.lost > 0 { log.logger.warning("\(now.lost) events more than the log could take") }
            // Sessions bring secrets with them.
            Confinement.checkSecrets(log.logger)
            if now.isStopped { return }
            if now.entries.isEmpty { wakeup.wait() }
        }
    }
}
