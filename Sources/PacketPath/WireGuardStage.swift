import Crypto
import Pipeline
import Wire
import WireGuard

/// Seals what goes to a peer, opens what comes from one, and keeps the sessions up.
///
/// Outbound a super-packet is cut up only here, each segment straight into the run that is sent. While a peer has no
/// session its packets are staged, the oldest giving way.
package final class WireGuardStage: Stage {
    package static let declaration = StageDeclaration(
        name: "wireguard",
        summary: "seals outbound packets for their peer and opens inbound ones",
        outbound: Passage(needs: [.plaintext, .peer], provides: .sealed, removes: .plaintext),
        inbound: Passage(needs: .sealed, provides: [.plaintext, .peer], removes: .sealed),
        counters: counters + HandshakeDesk.counters, drops: Drop.self, Rejection.self, HandshakeDesk.Drop.self)

    private static let counters: [Counter<WireGuardStage>] = [
        Counter("packets-sealed", "packets that were encrypted and sent on") { $0.sealed },
        Counter("packets-opened", "packets that were decrypted") { $0.received },
        Counter("portions-helped", "portions of other workers' packets that this one has encrypted or decrypted") {
            $0.helped
        },
        Counter("packets-staged", "packets that wait for a session", isGauge: true) { UInt64($0.staging.packets) },
    ]

    enum Drop: Int, DropReason {
        case noEndpoint, endpointInTunnel, staleStaged, stagingFull, noAnswer, peerRemoved, tooLarge, batchFull,
            handshakeQueueFull,
            interfaceDown
        case innerTooShort, innerNotIP, innerLyingLength
        var name: String {
            switch self {
            case .noEndpoint: "no-endpoint"
            case .endpointInTunnel: "endpoint-in-own-tunnel"
            case .staleStaged: "staged-too-many"
            case .stagingFull: "staging-full"
            case .noAnswer: "handshake-unanswered"
            case .peerRemoved: "peer-removed"
            case .tooLarge: "too-large-to-seal"
            case .batchFull: "batch-full"
            case .handshakeQueueFull: "handshake-queue-full"
            case .interfaceDown: "interface-down"
            case .innerTooShort: "inner-too-short"
            case .innerNotIP: "inner-not-ip"
            case .innerLyingLength: "inner-lying-length"
            }
        }
    }

    /// One WireGuard interface as this worker sees it.
    package struct Interface {
        package let id: InterfaceID
        package let engine: Engine
        /// Messages are padded no further than these say (P-4.6).
        package var limits: PaddingLimits

        package init(_ id: InterfaceID, engine: Engine, mtu: Int) {
            self.id = id
            self.engine = engine
            limits = PaddingLimits(link: mtu)
        }
    }

    /// Log entries that wait for the worker to take them; more are not kept.
    private static let noteBound = 1024

    let worker: Int
    let indices: IndexSpace
    var interfaces: ContiguousArray<Interface>
    let handshakes: HandshakeDesk
    let undeliverable: UndeliverablePackets
    let pool: BufferPool

    /// Who helps where there is much to do; nil where there is nobody.
    package let crew: Crew?
    /// Whether no core is free for anybody who would help.
    var isCrowded = false
    let aead: AEAD
    var sealing: TicketQueue<SealingWork>
    var opening: TicketQueue<OpeningWork>
    /// Runs that were taken apart, on their way (`separate`).
    var separated: PacketBatch
    let staging: Staging
    /// What engines want done and has not been done, by interface.
    var pending: ContiguousArray<[Outbox.Action]>
    var notes: [(PeerID, PeerEvent)] = []

    var drops = DropCounters<Drop>()
    var rejections = DropCounters<Rejection>()
    var sealed: UInt64 = 0
    var received: UInt64 = 0
    /// Portions of other workers' tickets that this one has worked on.
    var helped: UInt64 = 0

    package init(
        interfaces: [Interface], worker: Int = 0, indices: IndexSpace, pool: BufferPool, handshakes: HandshakeDesk,
        undeliverable: UndeliverablePackets = UndeliverablePackets(), crew: Crew? = nil
    ) {
        guard let aead = interfaces.first?.engine.aead else { preconditionFailure("a router has interfaces") }
        self.interfaces = ContiguousArray(interfaces)
        self.worker = worker
        self.indices = indices
        self.pool = pool
        self.handshakes = handshakes
        self.undeliverable = undeliverable
        staging = Staging(pool)
        self.crew = crew
        self.aead = aead
        sealing = TicketQueue(owner: worker, pool: pool)
        opening = TicketQueue(owner: worker, pool: pool)
        separated = PacketBatch(pool: pool)
        pending = ContiguousArray(repeating: [], count: interfaces.count)
    }

    /// Takes over a peer that this worker owns.
    package func add(_ peer: consuming PeerConfiguration, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        engine.add(peer, now)
        collect(engine, id)
    }

    /// Where a peer was found to be, unless it has been heard from already.
    package func locate(_ peer: PeerID, at endpoint: Endpoint, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        engine.locate(peer, at: endpoint, now)
        collect(engine, id)
    }

    /// The source in `path` is no longer good for the peer, unless it has another by now.
    package func sourceGone(_ peer: PeerID, from path: Path, on id: InterfaceID) {
        let engine = interfaces[id.index].engine
        if engine.path(to: peer)?.local == path.local { engine.sourceGone(peer) }
    }

    /// Some of them (`Engine.snapshot`).
    package func snapshot(
        _ id: InterfaceID, _ now: Instant, from first: Int, limit: Int
    ) -> (peers: [PeerSnapshot], next: Int?) {
        interfaces[id.index].engine.snapshot(now, from: first, limit: limit)
    }

    /// The peers of an interface that this worker owns, as they stand.
    package func snapshot(_ id: InterfaceID, _ now: Instant) -> [PeerSnapshot] {
        interfaces[id.index].engine.snapshot(now)
    }

    package func remove(_ peer: PeerID) {
        for index in interfaces.indices {
            interfaces[index].engine.remove(peer)
            // Its number may be another peer's later.
            pending[index].removeAll { $0.peer == peer }
        }
        dropStaged(of: peer, .peerRemoved)
    }

    package func take(_ notice: Notice) {
        switch notice {
        case .sourceGone(let peer): for interface in interfaces { interface.engine.sourceGone(peer) }
        }
    }

    package var hasNotes: Bool { !notes.isEmpty }

    /// What has changed since the last call, for the log.
    package func takeNotes() -> [(PeerID, PeerEvent)] {
        defer { notes.removeAll(keepingCapacity: true) }
        return notes
    }

    package var report: StageReport {
        var report = StageReport(Self.counters, of: self, drops: drops.report + rejections.report)
        // The desk is everybody's, and told of once.
        if worker == 0 { report.add(handshakes.report) }
        return report
    }

    // MARK: Staging

    func stage(_ packet: consuming Packet) {
        staging.append(packet) { packet, cause in
            drops.count(cause == .peerBound ? .staleStaged : .stagingFull, packet.wirePackets)
        }
    }

    func dropStaged(of peer: PeerID, _ reason: Drop) {
        staging.removeAll(of: peer) { drops.count(reason, $0.wirePackets) }
    }

    func note(_ peer: PeerID, _ event: PeerEvent) {
        if notes.count < Self.noteBound { notes.append((peer, event)) }
    }
}

extension Rejection: DropReason {}
