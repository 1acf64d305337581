import Crypto
import Locking
import Pipeline
import UDP
import Wire
import WireGuard

/// Where a router's handshakes are computed: off the packet path, so that a flood of them does not hold up a packet.
///
/// Workers hand over what comes in and what their engines ask for; threads of their own, or a test, let it `work`; what
/// comes of it goes to the owner of the peer, through its mailbox. Cookies are no peer's: they leave from here, so that
/// answering strangers costs the packet path nothing.
package final class HandshakeDesk: Sendable {
    enum Drop: Int, DropReason {
        case ownerBusy, cookieNotSent
        var name: String {
            switch self {
            case .ownerBusy: "handshake-owner-busy"
            case .cookieNotSent: "cookie-not-sent"
            }
        }
    }

    /// Looked at in one go, with one reading of the clock.
    private static let batch = 32

    private struct Counts {
        var cookies: UInt64 = 0
        var rejections = DropCounters<Rejection>()
        var drops = DropCounters<Drop>()

        static let declared: [Counter<Counts>] = [
            Counter("cookies-sent", "cookie replies that were sent under load") { $0.cookies }
        ]
    }

    static var counters: [any CounterDeclaration] { Counts.declared }

    /// By interface.
    private let directories: [PeerDirectory]
    private let gate: HandshakeGate
    private let indices: IndexSpace
    private let entropy: Entropy
    private let mailboxes: [Mailbox]
    /// By interface.
    private let outlets: [Outlet]
    private let queue = Guarded(HandshakeQueue())
    private let counts = Guarded(Counts())
    /// Called when there is something to do for one more thread than before.
    private let wake: @Sendable () -> Void

    package init(
        _ directories: [PeerDirectory], indices: IndexSpace, entropy: Entropy, mailboxes: [Mailbox], now: Instant,
        wake: @escaping @Sendable () -> Void = {}
    ) {
        self.directories = directories
        self.indices = indices
        self.entropy = entropy
        self.mailboxes = mailboxes
        self.wake = wake
        gate = HandshakeGate(entropy, now: now)
        outlets = directories.map { _ in Outlet() }
    }

    /// Where an interface's cookies leave from now on, nil for nowhere. Once it returns the earlier one is not used any
    /// more.
    package func setOutlet(_ outlet: (any ReplySender)?, on interface: InterfaceID) {
        outlets[interface.index].sender.withLock { $0 = outlet }
    }

    /// Hands something over; false when too much from outside is waiting. Never waits for a computation.
    func submit(_ work: HandshakeQueue.Work, on interface: InterfaceID, from worker: Int) -> Bool {
        let entry = HandshakeQueue.Entry(work: work, interface: interface, worker: worker)
        let (taken, wasIdle) = queue.withLock { queue in
            let wasIdle = queue.isEmpty
            return (queue.append(entry), wasIdle)
        }
        if wasIdle { wake() }
        return taken
    }

    /// Computes some of what waits; false when nothing did.
    package func work(_ now: Instant) -> Bool {
        var count = 0
        while count < Self.batch, let (entry, waiting, isLast) = next() {
            // Whoever finds more than one wakes the next one: nobody wakes all for a single message.
            if count == 0, !isLast { wake() }
            count += 1
            switch entry.work {
            case .initiate(let task): initiate(task, entry)
            case .initiation(let message): take(message, nil, entry, waiting, now)
            case .response(let message, let handshake): take(message, handshake, entry, waiting, now)
            }
        }
        return count > 0
    }

    private func next() -> (HandshakeQueue.Entry, waiting: Int, isLast: Bool)? {
        queue.withLock { queue in
            let waiting = queue.strangersWaiting
            return queue.popFirst().map { ($0, waiting, queue.isEmpty) }
        }
    }

    private func initiate(_ task: InitiationTask, _ entry: HandshakeQueue.Entry) {
        let computed = task.run()
        mailboxes[entry.worker].post { worker, now in worker.wireGuard.finish(computed, on: entry.interface, now) }
    }

    /// A message from outside: a response with the initiation it answers, or an initiation.
    private func take(
        _ message: HandshakeMessage, _ handshake: InitiatedHandshake?, _ entry: HandshakeQueue.Entry, _ waiting: Int,
        _ now: Instant
    ) {
        let directory = directories[entry.interface.index]
        guard let identity = directory.identity else { return count(.noIdentity) }
        let judgement = message.withBytes {
            unsafe gate.judge($0, message.type, from: message.path, identity, waiting: waiting, now)
        }
        switch judgement {
        case .reject(let rejection): count(rejection)
        case .reply(let reply):
            count(.cookieDue)
            send(reply, on: entry.interface)
        case .admit:
            if let handshake {
                conclude(handshake, message, entry)
            } else {
                answer(message, directory, entry, now)
            }
        }
    }

    private func conclude(_ handshake: InitiatedHandshake, _ message: HandshakeMessage, _ entry: HandshakeQueue.Entry) {
        let concluded = message.withBytes { unsafe handshake.conclude($0) }
        offer(entry.worker) { worker, now in
            worker.wireGuard.finish(concluded, on: entry.interface, from: message.path, now)
        }
    }

    private func answer(
        _ message: HandshakeMessage, _ directory: PeerDirectory, _ entry: HandshakeQueue.Entry, _ now: Instant
    ) {
        let result = message.withBytes { bytes in
            Result { () throws(Rejection) in
                try unsafe directory.answer(bytes, indices: indices, entropy: entropy, now)
            }
        }
        switch result {
        case .failure(let rejection): count(rejection)
        case .success(let answer):
            offer(answer.worker) { worker, now in
                worker.wireGuard.finish(answer, on: entry.interface, from: message.path, now)
            }
        }
    }

    private func send(_ cookie: Outgoing, on interface: InterfaceID) {
        let isSent = outlets[interface.index].sender.withLock { sender in
            guard let sender else { return false }
            return cookie.withBytes { unsafe sender.send($0, by: cookie.path) }
        }
        counts.withLock { counts in
            if isSent { counts.cookies += 1 } else { counts.drops.count(.cookieNotSent) }
        }
    }

    /// For what strangers can bring about: bounded.
    private func offer(_ worker: Int, _ errand: @escaping Mailbox.Errand) {
        if !mailboxes[worker].offer(errand) { counts.withLock { $0.drops.count(.ownerBusy) } }
    }

    private func count(_ rejection: Rejection) { counts.withLock { $0.rejections.count(rejection) } }

    /// What has become of messages here, to be added to the stage's own counts.
    var report: StageReport {
        counts.withLock { counts in
            StageReport(Counts.declared, of: counts, drops: counts.rejections.report + counts.drops.report)
        }
    }
}

/// Where an interface's cookies leave: used and replaced under its lock.
private final class Outlet: Sendable {
    let sender = Guarded<(any ReplySender)?>(nil)
}
