import AllowedIPs
import Configuration
import Crypto
import PacketPath
import Pipeline
import TUN
import UDP
import Wire
import WireGuard

/// What all workers of a router have in common, and how one of them is put together from it.
package struct WorkerAssembly {
    let plan: RouterPlan
    /// What is known of interfaces and peers, to be changed while the router runs.
    package let registry: PeerRegistry
    let environment: Environment
    package let mailboxes: [Mailbox]
    /// By `InterfaceID.index`.
    package let directories: [PeerDirectory]
    /// What stages have to know again of an earlier run.
    let memories: StageMemories
    /// Helps a worker that has too much to do; nil where there is only one.
    let crew: Crew?
    /// Where this router's handshakes are computed; somebody has to let it work.
    package let handshakes: HandshakeDesk

    /// What a test may put something else in the place of.
    package struct Environment: Sendable {
        package var aead: AEAD
        package var entropy: Entropy
        package var wallTime: @Sendable () -> WallTime
        package var indices: IndexSpace

        package init(
            aead: AEAD, entropy: Entropy, wallTime: @escaping @Sendable () -> WallTime, indices: IndexSpace
        ) {
            self.indices = indices
            self.aead = aead
            self.entropy = entropy
            self.wallTime = wallTime
        }
    }

    package init(
        _ plan: RouterPlan, _ keys: KeyFile, _ environment: Environment, mailboxes: [Mailbox], now: Instant,
        remembered: [String: [PublicKey: TAI64N]] = [:], memories: StageMemories = StageMemories(),
        crew: Crew? = nil, wakeHandshakes: @escaping @Sendable () -> Void = {}
    ) throws(KeyProblem) {
        precondition(mailboxes.count == plan.workers && environment.indices.workers == plan.workers)
        let registry = try PeerRegistry(plan, keys)
        self.plan = plan
        self.registry = registry
        self.environment = environment
        self.mailboxes = mailboxes
        self.memories = memories
        self.crew = crew
        directories = (0..<plan.slots).map { slot in
            guard slot < plan.interfaces.count else { return PeerDirectory(nil) }
            let key = registry.view(InterfaceID(slot), peers: false).privateKey
            return PeerDirectory(key.map { Identity($0.value.copy()) })
        }
        for interface in plan.interfaces {
            directories[interface.id.index].remember(remembered[interface.configuration.name.value] ?? [:])
        }
        handshakes = HandshakeDesk(
            directories, indices: environment.indices, entropy: environment.entropy, mailboxes: mailboxes, now: now,
            wake: wakeHandshakes)
    }

    /// Worker `id` over its ends of each interface, with the peers that it owns. `compose` may put stages of its own
    /// among those of the file.
    package func worker(
        _ id: Int, tun queues: [TUNQueue], udp ports: [any UDPPort], now: Instant, pool: BufferPool = BufferPool(),
        compose: ([any Stage]) -> [any Stage] = { $0 }
    ) -> Worker {
        let undeliverable = UndeliverablePackets()
        let empty = plan.slots - plan.interfaces.count
        let queues = queues + (0..<empty).map { _ in TUNQueue(ClosedTUN()) }
        let ports = ports + (0..<empty).map { _ in ClosedPort() }
        let (slots, workers, environment) = (plan.slots, plan.workers, environment)
        let surroundings = { (now: Instant) in
            StageEnvironment(
                worker: id, workers: workers, interfaces: slots, pool: pool, now: now,
                hashKey: SIMD2(environment.entropy.uint64(), environment.entropy.uint64()),
                wallTime: environment.wallTime)
        }
        let worker = Worker(
            id: id, stages: compose(stages(id, queues, ports, pool, undeliverable, now, surroundings)),
            interfaces: plan.interfaces.count, mailboxes: mailboxes, pool: pool, undeliverable: undeliverable,
            surroundings: surroundings)
        for slot in plan.interfaces.count..<plan.slots { worker.wireGuard.setUp(false, on: InterfaceID(slot), now) }
        for group in registry.groups(of: id) {
            worker.set(group.id) { group.stageOptions[$0.name] }
            worker.remember(of: group.id) { memories.groups[StageMemories.GroupEntry(stage: $0, name: group.name)] }
        }
        for interface in plan.interfaces {
            for (peer, prefixes) in registry.view(interface.id).peers {
                worker.setOwner(of: peer.id, peer.worker)
                // Any worker may read a packet for any peer, so each knows all prefixes.
                worker.set(prefixes.map { ($0, peer.id) }, on: interface.id)
                guard peer.worker == id else { continue }
                let endpoint = peer.configuration?.endpoint?.value.endpoint
                worker.add(peer.protocolConfiguration(endpoint: endpoint), on: interface.id, now, group: peer.group) {
                    peer.configuration?.stageOptions[$0.name]
                }
                guard !memories.peers.isEmpty else { continue }
                let (name, key) = (interface.configuration.name.value, peer.publicKey)
                worker.remember(of: peer.id) {
                    memories.peers[StageMemories.PeerEntry(stage: $0, interface: name, publicKey: key)]
                }
            }
        }
        return worker
    }

    private func stages(
        _ id: Int, _ queues: [TUNQueue], _ ports: [any UDPPort], _ pool: BufferPool,
        _ undeliverable: UndeliverablePackets, _ now: Instant, _ surroundings: (Instant) -> StageEnvironment
    ) -> [any Stage] {
        plan.configuration.pipeline.compactMap { entry -> (any Stage)? in
            let schema = StageRegistry.schemas.first { $0.name == entry.stage.value }
            switch entry.stage.value {
            case TUNStage.declaration.name: return TUNStage(queues: queues)
            case AllowedIPsStage.declaration.name:
                return AllowedIPsStage(interfaces: plan.slots, undeliverable: undeliverable)
            case WireGuardStage.declaration.name: return wireGuard(id, pool, undeliverable, now)
            case UDPStage.declaration.name: return UDPStage(ports: ports)
            // Those in the kernel have no instance here.
            default: return schema?.make?(entry.options, surroundings(now))
            }
        }
    }

    private func wireGuard(
        _ id: Int, _ pool: BufferPool, _ undeliverable: UndeliverablePackets, _ now: Instant
    ) -> WireGuardStage {
        let interfaces = (0..<plan.slots).map { slot in
            let environment = Engine.Environment(
                aead: environment.aead, entropy: environment.entropy, wallTime: environment.wallTime,
                indices: environment.indices, worker: id)
            let mtu = slot < plan.interfaces.count ? plan.interfaces[slot].configuration.mtu : nil
            return WireGuardStage.Interface(
                InterfaceID(slot), engine: Engine(directories[slot], environment, now: now),
                mtu: mtu ?? InterfaceConfiguration.defaultMTU)
        }
        return WireGuardStage(
            interfaces: interfaces, worker: id, indices: environment.indices, pool: pool, handshakes: handshakes,
            undeliverable: undeliverable, crew: crew)
    }
}
