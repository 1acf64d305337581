import Configuration
import Crypto
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
        /// Another peer may have the number after it.
        let publicKey: PublicKey
        let endpoint: HostPort
        /// Whether the peer is to be there even if it has been heard from elsewhere before.
        var moves = false
        /// Of all that were asked for: a look-up that is under way answers for this one, not for the next name of the peer.
        fileprivate var serial = 0

        init(interface: InterfaceID, peer: PeerID, publicKey: PublicKey, endpoint: HostPort, moves: Bool = false) {
            (self.interface, self.peer, self.publicKey) = (interface, peer, publicKey)
            (self.endpoint, self.moves) = (endpoint, moves)
        }
    }

    private struct Work {
        private(set) var names: [PeerID: Name] = [:]
        private var serials = 0
        var searches: [PeerID: EndpointSearch] = [:]
        /// Those for whom somebody has been found before.
        var found: Set<PeerID> = []
        var queue = LookupQueue()
        /// Names whose peers are to be looked for somewhere else, at an address that is known.
        var moves: [(name: Name, endpoint: Endpoint)] = []

        func isCurrent(_ name: Name) -> Bool { names[name.peer]?.serial == name.serial }

        mutating func add(_ name: Name) {
            var name = name
            name.serial = serials
            serials += 1
            names[name.peer] = name
            searches[name.peer] = EndpointSearch()
            found.remove(name.peer)
            queue.append(name.peer)
        }

        mutating func forget(_ peer: PeerID) {
            guard names.removeValue(forKey: peer) != nil else { return }
            searches[peer] = nil
            found.remove(peer)
            queue.remove(peer)
        }
    }

    private let work: Guarded<Work>
    private let mailboxes: [Mailbox]
    private let log: RouterLog
    private let bell: Doorbell
    private let addresses: @Sendable (_ name: HostPort, _ mark: UInt32) -> [Endpoint]
    private let isStopped = Atomic(false)
    /// So that a name whose servers do not answer holds up few others.
    let threads: Int
    private static let threadBound = 4

    /// `addresses` of a name, looked up by sockets with the mark; it may take its time.
    init(
        _ plan: RouterPlan, _ mailboxes: [Mailbox], _ log: RouterLog,
        addresses: @escaping @Sendable (_ name: HostPort, _ mark: UInt32) -> [Endpoint] = {
            NameLookup.endpoints(of: $0, mark: $1)
        }
    ) throws(Errno) {
        self.log = log
        self.addresses = addresses
        self.mailboxes = mailboxes
        bell = try Doorbell()
        var work = Work()
        for interface in plan.interfaces {
            for peer in interface.peers {
                guard let endpoint = peer.configuration.namedEndpoint else { continue }
                work.add(
                    Name(
                        interface: interface.id, peer: peer.id, publicKey: peer.configuration.publicKey.value,
                        endpoint: endpoint))
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
            for peer in peers { work.forget(peer) }
        }
    }

    /// These peers are to be found by their names from now on.
    func look(for names: [Name]) {
        guard !names.isEmpty else { return }
        work.withLock { work in
            for name in names { work.add(name) }
        }
        bell.ring()
    }

    /// An initiation to a peer went unanswered. From a worker's thread: nothing is looked up, told or logged here.
    func unanswered(_ peer: PeerID, handshakeAge: Interval?, _ now: Instant) {
        let isWork = work.withLock { work -> Bool in
            guard let name = work.names[peer] else { return false }
            switch work.searches[peer]?.unanswered(handshakeAge: handshakeAge, now) {
            case .wait, nil: return false
            case .lookUp: work.queue.append(peer)
            case .tryAt(let endpoint): work.moves.append((name, endpoint))
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
                let (peer, again) = work.queue.next(now)
                return (work.moves, peer.flatMap { work.names[$0] }, again, work.queue.hasReady)
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
        let endpoints = addresses(name.endpoint, log.registry.mark(name.interface))
        let now = Clocks.now()
        guard goesOn else { return }
        let (isFirst, best, isWanted) = work.withLock { work -> (Bool, Endpoint?, Bool) in
            // It may have been forgotten meanwhile, or the peer have another name.
            guard work.isCurrent(name), var search = work.searches[name.peer] else { return (false, nil, false) }
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
        guard post(name, endpoint, isFirst: isFirst) else { return }
        log.logger.info(
            isFirst
                ? "\(displayName): \(name.endpoint) is \(endpoint)"
                : "\(displayName): no answer, trying \(name.endpoint) at \(endpoint)")
    }

    /// False for a name that means nothing any more. Who forgets one has what it tells the worker arrive after this.
    private func post(_ name: Name, _ endpoint: Endpoint, isFirst: Bool) -> Bool {
        work.withLock { work in
            guard work.isCurrent(name) else { return false }
            var isThere = false
            // The peer may be gone by now, and its number another one's.
            log.registry.withOwner(of: name.peer, name.publicKey) { owner in
                isThere = true
                mailboxes[owner].post { worker, now in
                    switch (isFirst, name.moves) {
                    case (true, true): worker.wireGuard.setEndpoint(name.peer, endpoint, on: name.interface, now)
                    case (true, false): worker.wireGuard.locate(name.peer, at: endpoint, on: name.interface, now)
                    case (false, _): worker.wireGuard.relocate(name.peer, to: endpoint, on: name.interface)
                    }
                }
            }
            return isThere
        }
    }
}
