import Configuration
import Linux
import PacketPath
import Pipeline
import Synchronization
import Wire
import WireGuard

/// One question to all workers at once: how do you stand?
final class StatusQuestion: Sendable {
    struct Answer: Sendable {
        let worker: Int
        /// By interface.
        let peers: [[PeerSnapshot]]
        let stages: [(stage: String, report: StageReport)]
    }

    /// How long the workers have. They answer between two turns, which take microseconds.
    private static let patience = Interval.seconds(5)

    private let collected = Mutex<[Answer]>([])
    private let count: Int
    private let mailboxes: [Mailbox]
    private let interfaces: Int

    init(_ mailboxes: [Mailbox], interfaces: Int) {
        self.mailboxes = mailboxes
        self.interfaces = interfaces
        count = mailboxes.count
    }

    /// In the order of workers; nil when one has not answered in time.
    func answers() -> [Answer]? {
        guard var wakeup = try? Epoll(), let bell = try? Doorbell(), (try? wakeup.add(bell.rawValue, token: 0)) != nil
        else { return nil }
        for mailbox in mailboxes {
            mailbox.post { worker, now in
                let peers = (0..<self.interfaces).map { worker.wireGuard.snapshot(InterfaceID($0), now) }
                let answer = Answer(worker: worker.id, peers: peers, stages: worker.reports)
                let isLast = self.collected.withLock { collected in
                    collected.append(answer)
                    return collected.count == self.count
                }
                if isLast { bell.ring() }
            }
        }
        let deadline = Clocks.now() + Self.patience
        while Clocks.now() < deadline {
            guard let events = try? wakeup.wait(until: deadline, now: Clocks.now()) else { return nil }
            if events > 0 { return collected.withLock { $0.sorted { $0.worker < $1.worker } } }
        }
        return nil
    }
}
