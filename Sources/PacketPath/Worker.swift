import Linux
import Pipeline
import Wire

/// One worker: its instances of the stages, its ends of every interface, and the peers that it owns.
///
/// A worker runs in turns. A turn takes what the ends and the other workers have for it through the stages, all at
/// one moment, and then lets the stages originate what is due. It knows no thread and no clock: `WorkerThread` gives it
/// both, and a test can be the thread of several workers.
package final class Worker {
    package let id: Int
    /// Top to bottom: `tun` first, `udp` last.
    package private(set) var stages: [any Stage]
    package let tun: TUNStage
    package let udp: UDPStage
    /// Opens what comes in, and can tell whose it is.
    package let wireGuard: WireGuardStage
    /// Interfaces from here on are not there.
    private(set) var interfaceCount: Int
    let pool: BufferPool
    /// What a stage that comes later is made in.
    let surroundings: (Instant) -> StageEnvironment
    /// What the stages could not deliver, for the router to tell the senders.
    package let undeliverable: UndeliverablePackets

    /// Below this stage the peer is known, so that packets can be told by owner.
    private var ownershipKnown: Int
    /// The place of `wireGuard`.
    private var opening: Int

    private let mailbox: Mailbox
    /// Errands that wait until nothing is under way.
    private var errands: [Mailbox.Errand] = []
    private var handoff: Handoff
    /// The worker that owns each peer, by `PeerID.index`.
    private var owners: ContiguousArray<Int> = []

    private var outbound: PacketBatch
    private var inbound: PacketBatch

    /// Stages in the order of the picture, `tun` and `udp` at the ends; the order has been checked (`StageOrder`).
    package init(
        id: Int, stages: [any Stage], interfaces: Int, mailboxes: [Mailbox], pool: BufferPool,
        undeliverable: UndeliverablePackets = UndeliverablePackets(),
        surroundings: @escaping (Instant) -> StageEnvironment
    ) {
        guard let tun = stages.first as? TUNStage, let udp = stages.last as? UDPStage,
            let (ownershipKnown, opening) = Self.landmarks(stages), let wireGuard = stages[opening] as? WireGuardStage
        else { preconditionFailure("the order of stages was not checked") }
        self.id = id
        self.stages = stages
        self.tun = tun
        self.udp = udp
        self.ownershipKnown = ownershipKnown
        self.opening = opening
        self.wireGuard = wireGuard
        self.pool = pool
        self.surroundings = surroundings
        interfaceCount = interfaces
        self.undeliverable = undeliverable
        mailbox = mailboxes[id]
        handoff = Handoff(worker: id, mailboxes: mailboxes, pool: pool)
        outbound = PacketBatch(pool: pool)
        inbound = PacketBatch(pool: pool)
    }

    /// Where a packet's owner is known, and where what comes in is opened.
    private static func landmarks(_ stages: [any Stage]) -> (ownershipKnown: Int, opening: Int)? {
        guard
            let known = stages.firstIndex(where: { type(of: $0).declaration.outbound.provides.contains(.peer) }),
            let opening = stages.firstIndex(where: { $0 is WireGuardStage })
        else { return nil }
        return (known, opening)
    }

    /// Another pipeline from the next turn on, with the same ends and the same `wireGuard`; its order has been checked.
    package func replaceStages(with next: [any Stage]) {
        guard next.first === tun, next.last === udp, let (ownershipKnown, opening) = Self.landmarks(next),
            next[opening] === wireGuard
        else { preconditionFailure("the order of stages was not checked") }
        stages = next
        self.ownershipKnown = ownershipKnown
        self.opening = opening
    }

    /// An interface is there from now on.
    package func serve(_ interface: InterfaceID) { interfaceCount = max(interfaceCount, interface.index + 1) }

    /// Makes ready all buffers that a turn can take. To be called once, on the worker's thread.
    package func warm() { outbound.pool.warm() }

    /// Says which worker owns a peer. Every worker is told of every peer.
    package func setOwner(of peer: PeerID, _ worker: Int) {
        while owners.count <= peer.index { owners.append(0) }
        owners[peer.index] = worker
    }

    /// nil, which means here, for a peer that nobody has named: the next stage drops its packets.
    private func owner(of peer: PeerID) -> Int? { owners.indices.contains(peer.index) ? owners[peer.index] : nil }

    /// The stage of this type, where the pipeline has it.
    package func stage<Kind: Stage>(_ kind: Kind.Type) -> Kind? {
        for stage in stages { if let stage = stage as? Kind { return stage } }
        return nil
    }

    // MARK: A turn

    /// Everything once: for ends in memory, which have no descriptors to wait for.
    package func turn(_ now: Instant) {
        takeMail(now)
        _ = udp.takeReplaced()
        _ = tun.takeReplaced()
        for index in 0..<interfaceCount {
            _ = takeOutbound(InterfaceID(index), now)
            takeInbound(InterfaceID(index), now)
        }
        originate(now)
    }

    /// When a turn is due though nothing has come in.
    package var nextDeadline: Instant { stages.reduce(.never) { min($0, $1.nextDeadline) } }

    /// One batch from an interface's TUN queue; the error that puts the queue out of order.
    package func takeOutbound(_ interface: InterfaceID, _ now: Instant) -> Errno? {
        guard mayTake(.outbound) else { return nil }
        outbound.interface = interface
        outbound.now = now
        let failure = tun.receive(into: &outbound)
        runDown(from: 1, &outbound)
        return failure
    }

    /// One batch from an interface's sockets.
    package func takeInbound(_ interface: InterfaceID, _ now: Instant) {
        guard mayTake(.inbound) else { return }
        inbound.interface = interface
        inbound.now = now
        udp.receive(into: &inbound)
        runUp(from: stages.count - 2, &inbound)
    }

    /// What other threads have sent: packets of our peers that arrived elsewhere, and errands.
    package func takeMail(_ now: Instant) {
        let (parcels, errands) = mailbox.collect()
        for parcel in parcels {
            switch parcel.direction {
            case .outbound: take(parcel, &outbound, now) { runDown(from: ownershipKnown + 1, &$0) }
            case .inbound: take(parcel, &inbound, now) { runUp(from: opening, &$0, steered: true) }
            }
        }
        if !parcels.isEmpty { mailbox.giveBack(parcels) }
        self.errands += errands
        runErrands(now)
    }

    /// What changes the worker meets nothing that is under way: it waits for that, and nothing is read meanwhile.
    private func runErrands(_ now: Instant) {
        guard !errands.isEmpty, wireGuard.isSettled else { return }
        let due = errands
        errands.removeAll(keepingCapacity: true)
        for errand in due { errand(self, now) }
    }

    /// Whether more may come from an end; what does not waits there.
    private func mayTake(_ direction: Direction) -> Bool { errands.isEmpty && !wireGuard.isFull(direction) }

    /// Whether the ends are to wait for what is under way.
    package var isHeldUp: Bool { !mayTake(.outbound) || !mayTake(.inbound) }

    /// Lets every stage that owes something send it, until nobody owes anything for this moment.
    package func originate(_ now: Instant) {
        defer { runErrands(now) }
        // What one stage sends may make another one owe, hence again.
        for _ in 0..<StageEnvironment.originationBound {
            var anyDue = false
            for index in stages.indices where stages[index].nextDeadline <= now {
                anyDue = true
                for interface in 0..<interfaceCount { originate(stageAt: index, InterfaceID(interface), now) }
            }
            guard anyDue else { return }
        }
    }

    private func originate(stageAt index: Int, _ interface: InterfaceID, _ now: Instant) {
        prepare(interface, now)
        stages[index].originate(down: &outbound, up: &inbound)
        runDown(from: index + 1, &outbound)
        runUp(from: index - 1, &inbound)
    }

    /// Sends on what a stage holds that is about to leave the pipeline.
    func release(stageAt index: Int, _ now: Instant) {
        for interface in 0..<interfaceCount {
            repeat {
                prepare(InterfaceID(interface), now)
                stages[index].release(down: &outbound, up: &inbound)
                guard !outbound.isEmpty || !inbound.isEmpty else { break }
                runDown(from: index + 1, &outbound)
                runUp(from: index - 1, &inbound)
            } while true
        }
    }

    private func prepare(_ interface: InterfaceID, _ now: Instant) {
        outbound.interface = interface
        outbound.now = now
        inbound.interface = interface
        inbound.now = now
    }

    // MARK: The stages in order

    private func runDown(from first: Int, _ batch: inout PacketBatch) {
        var index = first
        while index < stages.count, !batch.isEmpty {
            stages[index].outbound(&batch)
            if index == ownershipKnown { handoff.sort(&batch, .outbound) { owner(of: $0.peer) } }
            index += 1
        }
        deliverNotices(&batch)
    }

    private func runUp(from first: Int, _ batch: inout PacketBatch, steered: Bool = false) {
        var index = first
        while index >= 0, !batch.isEmpty {
            if index == opening, !steered, handoff.hasOthers {
                wireGuard.separate(&batch)
                handoff.sort(&batch, .inbound) { wireGuard.owner(of: $0) }
            }
            stages[index].inbound(&batch)
            index -= 1
        }
        deliverNotices(&batch)
    }

    private func deliverNotices(_ batch: inout PacketBatch) {
        guard !batch.notices.isEmpty else { return }
        for notice in batch.notices { for stage in stages { stage.take(notice) } }
        batch.notices.removeAll(keepingCapacity: true)
    }

    private func take(
        _ parcel: Parcel, _ batch: inout PacketBatch, _ now: Instant, _ run: (inout PacketBatch) -> Void
    ) {
        batch.interface = parcel.batch.interface
        batch.now = now
        batch.exchangePackets(with: &parcel.batch)
        var large = 0
        for index in 0..<batch.count where batch[index].buffer.size == .large { large += 1 }
        let small = batch.count - large
        run(&batch)
        batch.pool.give(small, .small, to: parcel.spares)
        batch.pool.give(large, .large, to: parcel.spares)
    }

    // MARK: Reports

    private static let counters: [Counter<Worker>] = [
        Counter("packets-handed-over", "packets that another worker owns, and has got") { $0.handoff.handedOver },
        // It grows only while staging or other workers hold many.
        Counter("buffers-allocated", "buffers beyond those that the pool had ready") {
            UInt64($0.outbound.pool.allocations)
        },
        Counter("unreachables-told", "senders that are told of a packet which was not delivered") {
            $0.undeliverable.told
        },
        Counter("unreachables-suppressed", "packets not delivered whose senders are not told: too many, or not to be") {
            $0.undeliverable.untold
        },
    ]

    /// Each stage's counters by name, and the worker's own.
    package var reports: [(stage: String, report: StageReport)] {
        let own = StageReport(Self.counters, of: self, drops: handoff.drops.report)
        return stages.map { (type(of: $0).declaration.name, $0.report) } + [("workers", own)]
    }
}
