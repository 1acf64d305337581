import Configuration
import Glibc
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import Synchronization
import Wire
import WireGuard

/// Finds the peers whose endpoints are names, off the packet path: looks the names up at start, again while that fails,
/// and again when nobody answers where they were found (`EndpointSearch`).
final class EndpointResolver: Sendable {
    struct Name: Sendable {
        let interface: InterfaceID
        let peer: PeerID
        let endpoint: HostPort
        /// Whether the peer is to be there even if it has been heard from elsewhere before.
        var moves = false
    }

    private struct Work {
        var names: [PeerID: Name] = [:]
        var searches: [PeerID: EndpointSearch] = [:]
        /// Those for whom somebody has been found before.
        var found: Set<PeerID> = []
        var queue = LookupQueue()
        /// Peers that are to be looked for somewhere else, at an address that is known.
        var moves: [(peer: PeerID, endpoint: Endpoint)] = []
    }

    private let work: Guarded<Work>
    private let mailboxes: [Mailbox]
    private let log: RouterLog
    private let bell: Doorbell
    private let isStopped = Atomic(false)
    /// So that a name whose servers do not answer holds up few others.
    let threads: Int
    private static let threadBound = 4

    init(_ plan: RouterPlan, _ mailboxes: [Mailbox], _ log: RouterLog) throws(Errno) {
        self.log = log
        self.mailboxes = mailboxes
        bell = try Doorbell()
        var work = Work()
        for interface in plan.interfaces {
            for peer in interface.peers {
                guard let endpoint = peer.configuration.namedEndpoint else { continue }
                work.names[peer.id] = Name(interface: interface.id, peer: peer.id, endpoint: endpoint)
                work.searches[peer.id] = EndpointSearch()
                work.queue.append(peer.id)
            }
        }
        // One at least: a name may come later.
        threads = max(1, min(Self.threadBound, work.names.count))
        let made = work
        self.work = Guarded(made)
    }

    /// Nothing is told or logged after this; the threads in `run` end when the system's resolver lets go of them.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.ring()
    }

    private var goesOn: Bool { !isStopped.load(ordering: .acquiring) }

    /// These peers are gone, or somebody has said where they are: their names mean nothing any more.
    func forget(_ peers: some Sequence<PeerID>) {
        work.withLock { work in
            for peer in peers where work.names.removeValue(forKey: peer) != nil {
                work.searches[peer] = nil
                work.found.remove(peer)
                work.queue.remove(peer)
            }
        }
    }

    /// These peers are to be found by their names from now on.
    func look(for names: [Name]) {
        guard !names.isEmpty else { return }
        work.withLock { work in
            for name in names {
                work.names[name.peer] = name
                work.searches[name.peer] = EndpointSearch()
                work.found.remove(name.peer)
                work.queue.append(name.peer)
            }
        }
        bell.ring()
    }

    /// An initiation to a peer went unanswered. From a worker's thread: nothing is looked up, told or logged here.
    func unanswered(_ peer: PeerID, handshakeAge: Interval?, _ now: Instant) {
        let isWork = work.withLock { work -> Bool in
            switch work.searches[peer]?.unanswered(handshakeAge: handshakeAge, now) {
            case .wait, nil: return false
            case .lookUp: work.queue.append(peer)
            case .tryAt(let endpoint): work.moves.append((peer, endpoint))
            }
            return true
        }
        if isWork { bell.ring() }
    }

    /// Looks up what there is to look up, until `stop`.
    func run() {
        while goesOn {
            let now = Clocks.now()
            let (moves, name, again, hasMore) = work.withLock { work in
                defer { work.moves = [] }
                let moves = work.moves.compactMap { move in work.names[move.peer].map { ($0, move.endpoint) } }
                let (peer, again) = work.queue.next(now)
                return (moves, peer.flatMap { work.names[$0] }, again, work.queue.hasReady)
            }
            if hasMore { bell.ring() }
            for (name, endpoint) in moves { tell(name, endpoint, isFirst: false) }
            if let name { lookUp(name) } else if again > now { wait(until: again, now) }
        }
        bell.ring()  // for the other threads
    }

    private func wait(until moment: Instant, _ now: Instant) {
        let milliseconds = moment == .never ? -1 : CInt(clamping: (moment - now).nanoseconds / 1_000_000 + 1)
        var waiting = pollfd(fd: bell.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&waiting, 1, milliseconds)
        if goesOn { bell.clear() }
    }

    private func lookUp(_ name: Name) {
        let endpoints = NameLookup.endpoints(of: name.endpoint, mark: log.registry.mark(name.interface))
        let now = Clocks.now()
        guard goesOn else { return }
        let (isFirst, best, isWanted) = work.withLock { work -> (Bool, Endpoint?, Bool) in
            // It may have been forgotten meanwhile.
            guard var search = work.searches[name.peer] else { return (false, nil, false) }
            defer { work.searches[name.peer] = search }
            guard let best = search.found(endpoints, now) else {
                work.queue.retry(name.peer, now)
                return (false, nil, true)
            }
            work.queue.succeeded(name.peer)
            return (work.found.insert(name.peer).inserted, best, true)
        }
        guard isWanted else { return }
        guard let best else {
            return log.logger.warning(
                "\(log.registry.displayName(name.peer)): cannot look up \(name.endpoint), trying again")
        }
        tell(name, best, isFirst: isFirst)
    }

    private func tell(_ name: Name, _ endpoint: Endpoint, isFirst: Bool) {
        let displayName = log.registry.displayName(name.peer)
        log.logger.info(
            isFirst
                ? "\(displayName): \(name.endpoint) is \(endpoint)"
                : "\(displayName): no answer, trying \(name.endpoint) at \(endpoint)")
        guard let key = log.registry[name.peer]?.publicKey else { return }
        // The peer may be gone by now, and its number another one's.
        log.registry.withOwner(of: name.peer, key) { owner in
            mailboxes[owner].post { worker, now in
                switch (isFirst, name.moves) {
                case (true, true): worker.wireGuard.setEndpoint(name.peer, endpoint, on: name.interface, now)
                case (true, false): worker.wireGuard.locate(name.peer, at: endpoint, on: name.interface, now)
                case (false, _): worker.wireGuard.relocate(name.peer, to: endpoint, on: name.interface)
                }
            }
        }
    }
}
