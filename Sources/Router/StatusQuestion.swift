import Locking
import PacketPath
import Pipeline
import Wire
import WireGuard

/// One question to all workers at once: how do you stand?
///
/// A worker answers between two turns, and a part at a time where it has many peers, so that no packet waits for it.
final class StatusQuestion: Sendable {
    struct Answer: Sendable {
        let worker: Int
        /// By interface.
        var peers: [[PeerSnapshot]]
        var stages: [(stage: String, report: StageReport)] = []
    }

    /// The most peers that one turn tells of.
    private static let part = 1024

    /// How far a worker has told. Only that worker and whoever asks use it, in turn.
    private final class Told: Sendable {
        struct Progress {
            var answer: Answer
            var interface = 0
            var slot = 0
            var isDone: Bool { interface == answer.peers.count }
        }

        let progress: Guarded<Progress>

        init(worker: Int, interfaces: Int) {
            progress = Guarded(Progress(answer: Answer(worker: worker, peers: Array(repeating: [], count: interfaces))))
        }
    }

    private let told: [Told]
    private let mailboxes: [Mailbox]

    init(_ mailboxes: [Mailbox], interfaces: Int) {
        self.mailboxes = mailboxes
        told = mailboxes.indices.map { Told(worker: $0, interfaces: interfaces) }
    }

    /// In the order of workers; nil when one has not answered in time.
    func answers() -> [Answer]? {
        let told = told
        let reported = WorkerRound.run(mailboxes) { worker, _ in
            told[worker.id].progress.withLock { $0.answer.stages = worker.reports }
        }
        guard reported else { return nil }
        while !told.allSatisfy({ $0.progress.withLock { $0.isDone } }) {
            let toldOn = WorkerRound.run(mailboxes) { worker, now in
                told[worker.id].progress.withLock { Self.tellOn(&$0, worker, now) }
            }
            guard toldOn else { return nil }
        }
        return told.map { $0.progress.withLock { $0.answer } }
    }

    /// The next part. Peers that come meanwhile may be in it or not.
    private static func tellOn(_ progress: inout Told.Progress, _ worker: Worker, _ now: Instant) {
        guard !progress.isDone else { return }
        let (peers, next) = worker.wireGuard.snapshot(
            InterfaceID(progress.interface), now, from: progress.slot, limit: part)
        progress.answer.peers[progress.interface] += peers
        if let next {
            progress.slot = next
        } else {
            progress.interface += 1
            progress.slot = 0
        }
    }
}
