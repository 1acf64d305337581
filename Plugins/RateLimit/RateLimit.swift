import Pipeline
import Wire

/// Holds each peer, and each group of peers, to a rate and a volume.
///
/// What goes to a peer (`down`) is shaped: it waits in a queue with fairness between flows and CoDel (`FlowQueue`), and
/// leaves at the earliest moment that the buckets allow. What comes from it (`up`) is policed, once it has been
/// authenticated: too late for waiting to be of use. Why, and what the numbers are: etc/decisions/rate-limit.md.
package final class RateLimit: PluginStage {
    package static let declaration = StageDeclaration(
        name: "rate-limit", summary: "holds peers and groups of them to a rate and a volume",
        outbound: Passage(needs: [.plaintext, .peer]), inbound: Passage(needs: [.plaintext, .peer]),
        counters: [
            "packets-queued": "packets that had to wait",
            "packets-bypassed": "packets of routing protocols that would have had to wait, or would have been dropped",
            "packets-marked": "packets that were marked (ECN) instead of being dropped by CoDel",
            "super-packets-cut": "super-packets that were cut into their segments",
        ], drops: RateLimitDrop.self)

    package struct Options: OptionRecord {
        /// Of each peer that has none of its own.
        let standard: Limit?

        package init(standard: Limit? = nil) { self.standard = standard }
        package init?(_ options: inout OptionReader) {
            standard = options.optional("default", help: "the limit of each peer that has none of its own")
        }
    }
    package typealias PeerOptions = Limit
    package typealias GroupOptions = Limit

    /// What the buffers of all packets that wait in one instance may take, 64 MiB.
    static let memoryBound = 64 << 20
    /// Of the wheel: 2¹⁶ ns, 66 µs.
    private static let tickBits = 16

    var standard: Limit
    var peers: ContiguousArray<LimitedPeer> = []
    var groups: ContiguousArray<LimitedGroup> = []
    var tally: Tally
    let store = PacketStore()
    var backlog = BacklogIndex()
    /// Queues of peers that have not needed them for a while.
    var spareQueues: [FlowQueue] = []
    /// One for all peers and groups: when the earliest of their packets may depart.
    var wheel: TimerWheel
    /// Whose turn it is now.
    var due: ContiguousArray<Int> = []
    /// What has departed, by interface, until the worker takes it.
    var departed: ContiguousArray<PacketStore.List>
    var departedCount = 0
    let pool: BufferPool
    private let hash: FlowHash
    let wall: @Sendable () -> WallTime
    /// Of the last batch: peers come and limits change between two of them.
    private(set) var moment: Instant

    package init(_ options: Options, _ environment: StageEnvironment) {
        standard = options.standard ?? .none
        pool = environment.pool
        tally = Tally(environment.pool)
        wheel = TimerWheel(now: environment.now, tickBits: Self.tickBits)
        departed = ContiguousArray(repeating: PacketStore.List(), count: environment.interfaces)
        hash = FlowHash(key: environment.hashKey)
        wall = environment.wallTime
        moment = environment.now
    }

    // MARK: Down

    package func outbound(_ batch: inout PacketBatch) {
        let (interface, now) = (batch.interface, batch.now)
        moment = now
        batch.sort {
            admit($0, now)
        } taken: {
            enqueue($0, interface, now)
        }
    }

    private func admit(_ packet: borrowing Packet, _ now: Instant) -> Sorting {
        let index = packet.peer.index
        guard peers.indices.contains(index) else { return .pass }
        look(index, now)
        guard !isBlocked(index) else { return .drop(tally.refuse(packet, .overQuota)) }
        let bytes = packet.innerBytes
        // Where a limit has just gone, what it has held up goes first.
        guard isShaped(index) || peers[index].queue != nil else {
            charge(index, .outbound, bytes, now)
            return .pass
        }
        if nobodyWaits(for: index), packet.wirePackets == 1 || bytes <= wholeBytes(index),
            readiness(index, .outbound, now) <= now
        {
            charge(index, .outbound, bytes, now)
            return .pass
        }
        // What is large would hold up others for long, and what comes behind its own flow's packets would overtake them.
        guard packet.wirePackets == 1 || bytes <= wholeBytes(index),
            !(peers[index].queue.map { unsafe $0.holds(hash(packet.contents)) } ?? false)
        else { return .take }
        return bypasses(packet, index, .outbound, bytes, now) ? .pass : .take
    }

    private func bypasses(
        _ packet: borrowing Packet, _ index: Int, _ direction: Direction, _ bytes: Int, _ now: Instant
    ) -> Bool {
        guard unsafe RoutingProtocol.isOne(packet.contents), isReadyForRouting(index, direction, now) else {
            return false
        }
        chargeRouting(index, direction, bytes)
        charge(index, direction, bytes, now)
        tally.bypassed += UInt64(packet.wirePackets)
        return true
    }

    private func enqueue(_ packet: consuming Packet, _ interface: InterfaceID, _ now: Instant) {
        let index = packet.peer.index
        let queue = queue(of: index, interface)
        let wholeBytes = wholeBytes(index)
        let flow = unsafe hash(packet.contents)
        tally.queued += UInt64(packet.wirePackets)
        if packet.wirePackets > 1, packet.innerBytes > wholeBytes {
            cut(packet) { hold($0, in: queue, index, flow, wholeBytes, now) }
        } else {
            hold(packet, in: queue, index, flow, wholeBytes, now)
        }
        awaken(index, now)
    }

    /// The segments of a super-packet, each as a packet.
    private func cut(_ packet: consuming Packet, _ body: (consuming Packet) -> Void) {
        tally.cut += 1
        var segmenter = unsafe Segmenter(packet.bytes, count: packet.count, packet.offload)
        while let segment = segmenter.next() {
            var piece = Packet(pool.take(Buffer.size(for: segment.count)), count: segment.count)
            unsafe piece.bytes.copyMemory(from: packet.bytes + segment.offset, byteCount: segment.count)
            piece.peer = packet.peer
            body(piece)
        }
        pool.recycle(packet)
    }

    private func hold(
        _ packet: consuming Packet, in queue: FlowQueue, _ index: Int, _ flow: UInt64, _ wholeBytes: Int,
        _ now: Instant
    ) {
        queue.append(packet, flow, wholeBytes: wholeBytes, now)
        while queue.isOverfull { queue.shorten(&tally, .queueFull) }
        backlog.set(index, queue.memory)
        while store.memory > Self.memoryBound, let greatest = backlog.greatest, let queue = peers[greatest].queue {
            queue.shorten(&tally, .memoryFull)
            backlog.set(greatest, queue.memory)
        }
    }

    // MARK: Up

    package func inbound(_ batch: inout PacketBatch) {
        let now = batch.now
        moment = now
        batch.filter { police($0, now) }
    }

    private func police(_ packet: borrowing Packet, _ now: Instant) -> Verdict {
        let index = packet.peer.index
        guard peers.indices.contains(index) else { return .pass }
        look(index, now)
        guard !isBlocked(index) else { return .drop(tally.refuse(packet, .overQuota)) }
        let bytes = packet.innerBytes
        if readiness(index, .inbound, now) <= now {
            charge(index, .inbound, bytes, now)
            return .pass
        }
        return bypasses(packet, index, .inbound, bytes, now) ? .pass : .drop(tally.refuse(packet, .overLimit))
    }

    // MARK: Departures

    package var nextDeadline: Instant {
        departedCount > 0 || !due.isEmpty ? Instant(nanoseconds: 0) : wheel.nextDeadline
    }

    package func originate(down: inout PacketBatch, up: inout PacketBatch) {
        moment = down.now
        releaseDue(moment)
        takeDeparted(&down)
    }

    private func takeDeparted(_ batch: inout PacketBatch) {
        while !batch.isFull, let packet = store.removeFirst(&departed[batch.interface.index]) {
            departedCount -= 1
            batch.append(packet)
        }
    }

    /// All that waits, each peer's in the order in which it would have gone.
    package func release(down: inout PacketBatch, up: inout PacketBatch) {
        takeDeparted(&down)
        for index in peers.indices {
            guard let queue = peers[index].queue, queue.interface == down.interface else { continue }
            while !down.isFull, let packet = queue.next(.patient, wholeBytes: 1, down.now, &tally) {
                down.append(packet)
            }
            backlog.set(index, queue.memory)
        }
    }

    package var report: StageReport {
        StageReport(
            counters: [
                StageReport.Count("packets-queued", tally.queued),
                StageReport.Count("packets-bypassed", tally.bypassed),
                StageReport.Count("packets-marked", tally.marked),
                StageReport.Count("super-packets-cut", tally.cut),
            ], drops: tally.drops.report)
    }
}
