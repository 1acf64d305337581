import Configuration
import Control
import Crypto
import Glibc
import Linux
import Logging
import PacketPath
import Pipeline
import Wire
import WireGuard

/// A running router.
///
/// Devices, sockets and the control socket end with whoever owns them, and the host side rolls back a set-up that fails.
/// So a start that fails half-way leaves nothing; a router that runs is ended by `stop`.
package final class Router {
    private let logger: Logger
    private let running: RunningRouter
    private let host: HostDesk
    private let reloader: Reloader?
    private var workers: [RunningThread] = []
    /// The threads that ask the workers things.
    private var askers: [RunningThread] = []

    /// Sets everything up; packets flow when it returns. Thereafter `stop` has to be called.
    package init(
        _ loaded: LoadedConfiguration, _ keys: KeyFile, runDirectory: String, stateDirectory: String,
        logger: Logger
    ) throws(RouterError) {
        var configuration = loaded.configuration
        do throws(HostSideError) {
            try PolicyRouting.chooseMarks(&configuration)
        } catch {
            throw .host(error)
        }
        let plan = RouterPlan(configuration, cores: sysconf(CInt(_SC_NPROCESSORS_ONLN)))
        self.logger = logger
        Confinement.lockSecrets(peers: plan.peerCount, logger)
        // First, because it tells whether the router is running already.
        let control = try Self.listen(loaded.configuration.name, runDirectory)
        uapi = plan.interfaces.compactMap { UAPISocket.forWG($0.configuration.name.value, logger) }
        let aead = try Self.chooseAEAD(loaded.configuration.runtime.aead, logger)
        let indices = IndexSpace(workers: plan.workers, entropy: .system)
        let ends = try RouterEnds(plan, indices)
        for interface in plan.interfaces {
            if let error = ends.missingIPv6(interface.id) {
                logger.warning("\(interface.configuration.name.value): IPv4 only, no IPv6 here (\(error.text))")
            }
        }
        running = try RunningRouter(
            plan, file: loaded.source.file, keys: keys, aead: aead, indices: indices, ends: ends,
            control: control, uapi: uapi, stateDirectory: stateDirectory, logger: logger)
        // Before anything is forwarded.
        try running.rules.start()
        do throws(RouterError) {
            host = try HostDesk(
                plan.interfaces.map(\.configuration.hostSide), forwarding: plan.configuration.forwarding == .auto)
        } catch {
            running.rules.giveUpStart()
            throw error
        }
        reloader = Reloader(loaded.source.file, keys, running, host, logger)
        try start(changing: [runDirectory, stateDirectory])
    }

    /// A drop-in: one interface that is down and knows nobody, for others to set up; its UAPI is served when this returns.
    package init(
        _ dropIn: consuming DropIn, runDirectory: String, stateDirectory: String, logger: Logger
    ) throws(RouterError) {
        self.logger = logger
        let name = dropIn.name
        Confinement.lockSecrets(peers: 0, logger)
        let adopted = try dropIn.adoptDevice()
        let plan = RouterPlan(
            DropIn.configuration(name, isAdopted: adopted != nil), cores: sysconf(CInt(_SC_NPROCESSORS_ONLN)),
            spareSlots: 0)
        // First, because it tells whether the interface is served already.
        uapi = [try dropIn.listen()]
        let control = Self.controlOfDropIn(name, runDirectory, logger)
        let aead = try Self.chooseAEAD(plan.configuration.runtime.aead, logger)
        let indices = IndexSpace(workers: plan.workers, entropy: .system)
        running = try RunningRouter(
            plan, file: "", keys: KeyFile(configuration: "", credentials: nil), aead: aead, indices: indices,
            ends: try RouterEnds(down: plan, adopting: adopted), control: control, uapi: uapi, startsDown: true,
            stateDirectory: stateDirectory, logger: logger)
        host = try HostDesk([DropIn.hostSide(name)], forwarding: false)
        reloader = nil
        try start(changing: [runDirectory])
    }

    private func start(changing folders: [String]) throws(RouterError) {
        // Before there are threads, which have what this one has.
        Confinement.enter(changing: folders + uapi.map(\.folder), logger)
        do {
            try startThreads()
        } catch {
            // Rules that an earlier run has left stay, as after any start that fails.
            end { running.rules.giveUpStart() }
            throw .system(error)
        }
    }

    /// Readable once the router cannot go on, because a worker or an interface is lost; `failure` then says why, and
    /// it is to be stopped.
    package var failureDescriptor: CInt { running.failed.rawValue }
    package var failure: RouterFailure? { running.failure }
    /// The UAPI sockets that are served.
    package let uapi: [UAPISocket]

    /// Makes the router what its file says now; what has changed, in lines for people.
    package func reload() throws(ReloadProblem) -> [String] {
        guard let reloader else { throw .notPossible("a drop-in has no file") }
        return try reloader.reload()
    }

    /// Ends the threads and takes everything back.
    package func stop() { end { running.rules.takeBack() } }

    private func end(takingRulesBack takeRulesBack: () -> Void) {
        // The workers last, so that nobody waits for an answer of one that has ended.
        running.stopAskers()
        for thread in askers { thread.join() }
        running.stopWorkers()
        for thread in workers { thread.join() }
        askers.removeAll()
        workers.removeAll()
        running.saveMemories()
        for error in host.takeBack() { logger.warning("\(error)") }
        // When nothing is forwarded any more for our sake.
        takeRulesBack()
        running.removeSockets()
    }

    private func startThreads() throws(Errno) {
        let (running, reloader) = (running, reloader)
        for id in 0..<running.plan.workers {
            workers.append(RunningThread(try Thread(name: "worker-\(id)") { running.runWorker(id) }))
        }
        for id in running.handshakeThreads.indices {
            workers.append(RunningThread(try Thread(name: "handshake-\(id)") { running.computeHandshakes(id) }))
        }
        workers.append(RunningThread(try Thread(name: "unreachables") { running.sendUnreachables() }))
        if running.timestamps != nil {
            workers.append(RunningThread(try Thread(name: "timestamps") { running.keepTimestamps() }))
        }
        workers.append(RunningThread(try Thread(name: "log") { running.writeLog() }))
        askers.append(RunningThread(try Thread(name: "control") { running.serveControl(reloader) }))
        if running.memories != nil {
            askers.append(RunningThread(try Thread(name: "memories") { running.keepMemories() }))
        }
        askers.append(RunningThread(try Thread(name: "uapi") { running.serveUAPI() }))
        askers.append(RunningThread(try Thread(name: "links") { running.watchLinks() }))
        askers.append(RunningThread(try Thread(name: "continuity") { running.watchContinuity() }))
        askers.append(RunningThread(try Thread(name: "routes") { running.watchRoutes() }))
        // On their own: a look-up cannot be interrupted, and without an answer it takes many seconds.
        let resolver = running.resolver
        for id in 0..<resolver.threads { _ = try Thread(name: "resolver-\(id)") { resolver.run() } }
    }

    private static func listen(_ name: String, _ runDirectory: String) throws(RouterError) -> ControlServer {
        let socket = ControlSocket(router: name, runDirectory: runDirectory)
        do {
            return try ControlServer(socket)
        } catch {
            throw error.rawValue == EADDRINUSE ? .alreadyRunning(name) : .control(socket.path, error)
        }
    }

    /// For `fullbore show`; a drop-in works without.
    private static func controlOfDropIn(_ name: String, _ runDirectory: String, _ logger: Logger) -> ControlServer? {
        do throws(RouterError) {
            return try listen(name, runDirectory)
        } catch {
            logger.warning("\(name): not to be seen by fullbore show: \(error)")
            return nil
        }
    }

    /// The AEAD that the file asks for, which has proved itself. Before the process confines itself: it may load a library.
    private static func chooseAEAD(_ choice: AEADChoice, _ logger: Logger) throws(RouterError) -> AEAD {
        do throws(AEAD.Problem) {
            let selection =
                switch choice {
                case .auto: try AEAD.fastest()
                case .libsodium: try AEAD.onlyLibsodium()
                case .ipsecMB: try AEAD.onlyIPSecMB()
                }
            logger.info("ChaCha20-Poly1305 by \(selection.aead.name): \(selection.reason)")
            return selection.aead
        } catch {
            throw .aead(error)
        }
    }
}

/// A thread among others.
private final class RunningThread {
    private var thread: Thread?
    init(_ thread: consuming Thread) { self.thread = consume thread }
    func join() { thread.take()?.join() }
}
