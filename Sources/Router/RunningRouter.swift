import Configuration
import Control
import Crypto
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import Synchronization
import Wire
import WireGuard

/// What the threads of a router share.
final class RunningRouter: Sendable {
    let plan: RouterPlan
    let resolver: EndpointResolver
    private let routes: RouteWatch
    private let unreachables: UnreachableSender
    private let continuity: ContinuityWatch
    /// nil when the file does not want it.
    let timestamps: TimestampKeeper?
    /// nil for a drop-in, whose pipeline has no stage that would know anything.
    let memories: StateKeeper<MemoryFile>?
    private let directories: [PeerDirectory]
    private let events: EventLog
    /// Rings when the router cannot go on; `failure` says why.
    let failed: Doorbell
    private let firstFailure = Guarded<RouterFailure?>(nil)
    let links: LinkWatch
    /// One queue of each interface, to be asked about its link.
    let tunDescriptors: Guarded<[InterfaceID: CInt]>
    let logger: Logger
    let indices: IndexSpace
    private let file: String
    let registry: PeerRegistry
    /// The one way in which anything about a running router changes.
    let changes: LiveChanges
    /// What the host stages want in the kernel.
    let rules: HostRules
    private let aead: AEAD
    private let mailboxes: [Mailbox]
    private let workerThreads: [WorkerThread]
    private let workers: [OwnedWorker]
    private let handshakes: HandshakeDesk
    /// As many as workers: when all peers come back at once, all cores are wanted.
    let handshakeThreads: [HandshakeThread]
    /// nil where a router does without.
    private let control: ControlServer?
    private let log: RouterLog
    /// Serves the UAPI of those interfaces that have a socket.
    let uapi: UAPIServer

    init(
        _ plan: RouterPlan, file: String, keys: KeyFile, aead: AEAD, indices: IndexSpace, ends: RouterEnds,
        control: ControlServer?, uapi sockets: [UAPISocket], startsDown: Bool = false,
        stateDirectory: String, logger: Logger
    ) throws(RouterError) {
        let now = Clocks.now()
        var threads: [WorkerThread] = []
        var handshakeThreads: [HandshakeThread] = []
        var workers: [OwnedWorker] = []
        do throws(Errno) {
            for _ in 0..<plan.workers {
                threads.append(try WorkerThread())
                handshakeThreads.append(try HandshakeThread())
            }
            mailboxes = threads.map { thread in Mailbox { thread.wake() } }
            routes = try RouteWatch()
            links = try LinkWatch(ends.links)
            tunDescriptors = Guarded(Dictionary(uniqueKeysWithValues: ends.links.map { ($0.id, $0.tun) }))
            continuity = try ContinuityWatch()
            let timestampFile = TimestampFile(stateDirectory: stateDirectory, router: plan.configuration.name)
            timestamps =
                plan.configuration.runtime.remembersTimestamps ? try TimestampKeeper(timestampFile, logger) : nil
            let memoryFile = MemoryFile(stateDirectory: stateDirectory, router: plan.configuration.name)
            memories = file.isEmpty ? nil : try StateKeeper(memoryFile, logger)
            failed = try Doorbell()
        } catch {
            throw .system(error)
        }
        let environment = WorkerAssembly.Environment(
            aead: aead, entropy: .system, wallTime: Clocks.wallTime, indices: indices)
        let assembly: WorkerAssembly
        do throws(KeyProblem) {
            let (sleepers, turns) = (handshakeThreads, Turns())
            assembly = try WorkerAssembly(
                plan, keys, environment, mailboxes: mailboxes, now: now, remembered: timestamps?.load() ?? [:],
                memories: memories?.load() ?? StageMemories(),
                crew: threads.count > 1 ? Crew(wake: threads.map { thread in { thread.wake() } }) : nil
            ) {
                // In turn; one that is at work looks for more before it sleeps.
                sleepers[turns.count.wrappingAdd(1, ordering: .relaxed).newValue % sleepers.count].wake()
            }
        } catch {
            throw .key(error)
        }
        for id in 0..<plan.workers {
            workers.append(
                OwnedWorker(assembly.worker(id, tun: ends.queues(of: id), udp: ends.ports(of: id), now: now)))
        }
        handshakes = assembly.handshakes
        directories = assembly.directories
        let registry = assembly.registry
        for interface in plan.interfaces {
            registry.update(interface.id) { $0.listenPort = ends.listenPort(interface.id) }
            handshakes.setOutlet(ends.replies[interface.id.index], on: interface.id)
        }
        if startsDown {
            for interface in plan.interfaces {
                registry.update(interface.id) { ($0.isUp, $0.isBound) = (false, false) }
                for owned in workers { owned.worker.wireGuard.setUp(false, on: interface.id, now) }
            }
        }
        log = RouterLog(logger: logger, registry: registry)
        do throws(Errno) {
            resolver = try EndpointResolver(plan, mailboxes, log)
        } catch {
            throw .system(error)
        }
        let resolver = resolver
        rules = HostRules(plan.configuration, registry, file: file, logger)
        changes = LiveChanges(registry, mailboxes, assembly.directories, handshakes, logger, rules: rules) {
            resolver.forget($0)
        } open: { id, port, mark throws(Errno) in
            try RouterEnds.reopen(plan, id, port: port, mark: mark, indices)
        }
        let service = UAPIService(registry, mailboxes, plan, changes)
        do throws(Errno) {
            events = try EventLog(log)
            uapi = try UAPIServer(sockets) { service.carryOut($1, on: $0) }
            unreachables = try UnreachableSender(registry, logger)
        } catch {
            throw .system(error)
        }
        self.indices = indices
        self.logger = logger
        self.registry = registry
        self.plan = plan
        self.file = file
        self.aead = aead
        self.control = control
        self.workers = workers
        workerThreads = threads
        self.handshakeThreads = handshakeThreads
    }

    // MARK: What each thread runs

    func runWorker(_ id: Int) {
        do throws(Errno) {
            try workerThreads[id].run(workers[id].worker) { worker in
                if worker.wireGuard.hasNotes { take(worker.wireGuard.takeNotes()) }
                if !worker.undeliverable.isEmpty { unreachables.add(worker.takeUndeliverable()) }
            } failed: { interface, error in
                let name = registry.name(of: interface)
                fail(RouterFailure(text: "\(name): the interface is gone: \(error.text)", isInterfaceGone: true))
            }
        } catch {
            fail(RouterFailure(text: "worker \(id) cannot go on: \(error)", isInterfaceGone: false))
        }
    }

    private func take(_ notes: [(PeerID, PeerEvent)]) {
        for (peer, event) in notes {
            if case .initiationUnanswered(let age) = event {
                resolver.unanswered(peer, handshakeAge: age, Clocks.now())
            }
        }
        events.add(notes)
    }

    func sendUnreachables() { unreachables.run() }

    func computeHandshakes(_ id: Int) { handshakeThreads[id].run(handshakes) }

    /// A router that has lost a worker or an interface, or has half a change, would only seem to run: better that it ends,
    /// and is started again.
    func fail(_ reason: RouterFailure) {
        firstFailure.withLock { failure in
            if failure == nil { failure = reason }
        }
        failed.ring()
    }

    var failure: RouterFailure? { firstFailure.withLock { $0 } }

    func writeLog() { events.run() }

    func serveControl(_ reloader: Reloader?) {
        control?.run { command in
            switch command {
            case .status:
                guard let status = status() else { return ControlProtocol.Answer(error: "the workers do not answer") }
                return ControlProtocol.Answer(status: status)
            case .firewall: return rules.answer()
            case .reload:
                guard let reloader else { return ControlProtocol.Answer(error: "a drop-in has no file to reload") }
                do throws(ReloadProblem) {
                    return ControlProtocol.Answer(changes: try reloader.reload())
                } catch {
                    return ControlProtocol.Answer(error: "\(error)", isForConfiguration: error.isForConfiguration)
                }
            }
        }
    }

    /// Of each interface, the greatest time stamp of each peer.
    func keepTimestamps() {
        timestamps?.run {
            var stamps: TimestampFile.Stamps = [:]
            for id in registry.interfaces { stamps[registry.name(of: id)] = directories[id.index].greatestStamps }
            return stamps.filter { !$0.value.isEmpty }
        }
    }

    func keepMemories() {
        let question = MemoryQuestion(registry: registry)
        memories?.run { question.answers(mailboxes) }
    }

    /// What has happened until the last packet. To be called when the workers have ended.
    func saveMemories() {
        var last = StageMemories()
        for owned in workers { MemoryQuestion(registry: registry).ask(owned.worker, &last) }
        memories?.save(last)
    }

    func watchRoutes() {
        do {
            try routes.run {
                peerPaths()
            } mark: { interface in
                registry.mark(interface)
            } gone: { source in
                registry.withOwner(of: source.peer, source.publicKey) { owner in
                    mailboxes[owner].post { worker, _ in
                        worker.wireGuard.sourceGone(source.peer, from: source.path, on: source.interface)
                    }
                }
            }
        } catch {
            log.logger.error("changes of routes go unnoticed: \(error)")
        }
    }

    /// The paths of all peers that have a source.
    private func peerPaths() -> [RouteWatch.Source] {
        let answers = StatusQuestion(mailboxes, interfaces: registry.slotCount).answers() ?? []
        return answers.flatMap { answer in
            answer.peers.enumerated().flatMap { index, peers in
                peers.compactMap { peer in
                    guard let path = peer.path, path.local != nil else { return nil }
                    return RouteWatch.Source(
                        peer: peer.id, publicKey: peer.publicKey, interface: InterfaceID(index), path: path)
                }
            }
        }
    }

    func watchContinuity() {
        do throws(Errno) {
            continuity.run(try SystemContinuity(), each: begin)
        } catch {
            log.logger.warning("sessions are not forgotten when the machine sleeps or is copied: \(error)")
        }
    }

    /// After a break every session begins anew.
    private func begin(after event: ContinuityWatch.Break) {
        switch event {
        case .slept(let length):
            log.logger.info("the machine has slept for \(Int(length.seconds)) s: sessions begin anew")
        case .forked: log.logger.warning("this virtual machine is a copy, or was put back: sessions begin anew")
        }
        for directory in directories { directory.beginEpoch() }
        for mailbox in mailboxes { mailbox.post { worker, now in worker.wireGuard.forgetSessions(now) } }
    }

    func serveUAPI() { uapi.run() }

    func watchLinks() {
        do {
            try links.run { id, link, routeMTUs, isCurrent in
                changes.mtuChanged(id, link.mtu, routes: routeMTUs, ifStill: isCurrent)
                changes.linkChanged(id, isUp: link.isUp, ifStill: isCurrent)
            }
        } catch {
            log.logger.error("changes of links go unnoticed: \(error)")
        }
    }

    func stopAskers() {
        links.stop()
        continuity.stop()
        uapi.stop()
        routes.stop()
        resolver.stop()
        control?.stop()
        memories?.stop()
    }

    func stopWorkers() {
        for thread in workerThreads { thread.stop() }
        for thread in handshakeThreads { thread.stop() }
        timestamps?.stop()
        unreachables.stop()
        events.stop()
    }

    /// Last of all: whoever finds no socket may start a router of the same name.
    func removeSockets() {
        for socket in uapi.served { socket.remove() }
        control?.remove()
    }

    // MARK: Status

    /// The router as it stands: each worker tells of its part between two turns. nil when one does not in time.
    func status() -> RouterStatus? {
        let question = StatusQuestion(mailboxes, interfaces: registry.slotCount)
        guard let answers = question.answers() else { return nil }
        return StatusReport(plan, registry, answers).status(file: file, aead: aead.name)
    }
}

/// Why a router cannot go on.
package struct RouterFailure: Sendable {
    package let text: String
    /// Somebody has deleted the link of an interface.
    package let isInterfaceGone: Bool
}

/// A worker on its way to its thread, which alone touches it from then on.
private final class OwnedWorker: @unchecked Sendable {  // Sendable: its thread has it alone, from its start to its end
    let worker: Worker
    init(_ worker: Worker) { self.worker = worker }
}

private final class Turns: Sendable {
    let count = Atomic(0)
}
