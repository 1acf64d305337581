import Configuration
import Crypto
import PacketPath
import Pipeline
import Router
import Synchronization
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// A whole router from its file, through the loader and the assembly that real ones come from, over ends in memory.
final class MemoryRouter {
    let plan: RouterPlan
    let indices: IndexSpace
    /// By interface; whoever gives the workers ports of another host says so here.
    var hosts: [MemoryHost]
    /// By interface, then by worker.
    let tuns: [[MemoryTUN]]
    private(set) var workers: [Worker] = []
    let pools: [BufferPool]
    /// Works after the workers, at the same moment.
    let handshakes: HandshakeDesk
    let directories: [PeerDirectory]
    let registry: PeerRegistry
    let mailboxes: [Mailbox]
    private let mail: [MailFlag]
    /// Who works on a fat peer's packets; nil for its owner alone.
    let helpers: Helpers?
    /// Workers that are to have no turn for now: what comes for them waits.
    var asleep: Set<Int> = []
    /// Whether nobody computes handshakes.
    var handshakesAreAsleep = false
    /// What the workers had for the log.
    private(set) var notes: [(peer: PeerID, event: PeerEvent)] = []

    /// `compose` may put stages of a test's own among those of a worker.
    init(
        _ world: World, at addresses: [String], seed: UInt64 = 1, tunOffloads: TUNOffloads = .all, _ text: String,
        remembered: [String: [PublicKey: TAI64N]] = [:], memories: StageMemories = StageMemories(),
        helpers: Helpers? = nil, compose: (_ worker: Int, _ stages: [any Stage]) -> [any Stage] = { $1 }
    ) throws {
        self.helpers = helpers
        let path = "\(world.folder)/router.yaml"
        let source = SourceText(file: path, bytes: Array(world.withKeys(text).utf8))
        let loaded = try ConfigurationFile.load(source, stages: StageRegistry.schemas)
        let plan = RouterPlan(loaded.configuration, cores: 1)
        let entropy = Entropy.predictableForTests(seed: seed)
        let clock = world.clock
        let mail = (0..<plan.workers).map { _ in MailFlag() }
        self.plan = plan
        self.mail = mail
        mailboxes = mail.map { flag in Mailbox { flag.raise() } }
        indices = IndexSpace(workers: plan.workers, entropy: entropy)
        hosts = loaded.configuration.interfaces.map { interface in
            world.network.attach(
                addresses: addresses.compactMap { IPAddress($0) }, port: interface.listenPort.value,
                workers: plan.workers)
        }
        tuns = plan.interfaces.map { _ in (0..<plan.workers).map { _ in MemoryTUN(offloads: tunOffloads) } }
        let assembly = try WorkerAssembly(
            plan, KeyFile(configuration: path, credentials: nil),
            WorkerAssembly.Environment(
                aead: .libsodium, entropy: entropy, wallTime: { clock.wall }, indices: indices),
            mailboxes: mailboxes, now: world.now, remembered: remembered, memories: memories, crew: helpers?.crew)
        handshakes = assembly.handshakes
        for (index, host) in hosts.enumerated() { handshakes.setOutlet(host.replies, on: InterfaceID(index)) }
        directories = assembly.directories
        registry = assembly.registry
        pools = (0..<plan.workers).map { _ in BufferPool() }
        for id in 0..<plan.workers {
            workers.append(
                assembly.worker(
                    id, tun: tuns.map { TUNQueue($0[id]) }, udp: hosts.map { $0.ports[id] }, now: world.now,
                    pool: pools[id]
                ) { compose(id, $0) })
        }
        for worker in workers { worker.warm() }
        world.attach(self)
    }

    /// What it would remember over a restart, by interface.
    var greatestStamps: [String: [PublicKey: TAI64N]] {
        directories.enumerated().reduce(into: [:]) { $0["wg\($1.offset)"] = $1.element.greatestStamps }
    }

    var tun: MemoryTUN { tuns[0][0] }
    var host: MemoryHost { hosts[0] }

    // MARK: Turns

    var nextDeadline: Instant {
        workers.reduce(.never) { asleep.contains($1.id) ? $0 : min($0, $1.nextDeadline) }
    }

    /// A turn for each worker that has something to do; false when none has.
    func turn(_ now: Instant) -> Bool {
        var anyone = false
        for worker in workers where !asleep.contains(worker.id) && isWanted(worker, now) {
            anyone = true
            helpers?.rest(except: worker.id)
            worker.turn(now)
            notes += worker.stage(WireGuardStage.self)?.takeNotes().map { ($0, $1) } ?? []
        }
        if helpers?.work() == true { anyone = true }
        while !handshakesAreAsleep, handshakes.work(now) { anyone = true }
        return anyone
    }

    private func isWanted(_ worker: Worker, _ now: Instant) -> Bool {
        mail[worker.id].lower() || worker.nextDeadline <= now || tuns.contains { $0[worker.id].waitingCount > 0 }
            || hosts.contains { $0.ports[worker.id].isReadable }
    }

    // MARK: What the host gets

    /// The frames that were written to an interface since the last call, each as the packets that it stands for.
    func takeDelivered(_ interface: Int = 0) -> [[[UInt8]]] {
        tuns[interface].flatMap { $0.takeWritten() }.map { Frames.packets(in: $0) }
    }

    // MARK: Counters

    func report(_ stage: String) -> StageReport {
        var sum = StageReport()
        for worker in workers { for (name, report) in worker.reports where name == stage { sum.add(report) } }
        return sum
    }

    /// Every counter and drop that is not 0, a line a stage: `tun: packets-read 1, bytes-read 84 | drops`.
    var counters: String {
        guard let first = workers.first else { return "" }
        return first.reports.compactMap { name, _ -> String? in
            let report = report(name)
            let parts = [report.counters, report.drops].map { counts in
                counts.filter { $0.value != 0 }.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            }
            guard parts != ["", ""] else { return nil }
            return "\(name): " + (parts[1].isEmpty ? parts[0] : "\(parts[0]) | \(parts[1])")
        }.joined(separator: "\n")
    }

    func counter(_ stage: String, _ name: String) -> UInt64 {
        let report = report(stage)
        guard let count = (report.counters + report.drops).first(where: { $0.name == name }) else {
            Issue.record("\(stage) has no counter \(name)")
            return 0
        }
        return count.value
    }

    /// A peer as the workers know it: with one owner, in exactly one of them.
    func snapshots(of peer: Int, _ now: Instant) -> [(worker: Int, peer: PeerSnapshot)] {
        workers.flatMap { worker in
            plan.interfaces.indices.flatMap { interface in
                (worker.stage(WireGuardStage.self)?.snapshot(InterfaceID(interface), now) ?? [])
                    .filter { $0.id == PeerID(peer) }.map { (worker.id, $0) }
            }
        }
    }
}

/// Raised when a mailbox stops being empty: what an eventfd is to a real worker.
private final class MailFlag: Sendable {
    private let raised = Atomic(false)
    func raise() { raised.store(true, ordering: .releasing) }
    func lower() -> Bool { raised.exchange(false, ordering: .acquiringAndReleasing) }
}
