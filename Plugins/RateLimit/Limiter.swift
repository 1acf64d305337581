import Pipeline
import Wire

/// What the stage knows of its peers and groups, and what it holds for them.
struct Limiter: ~Copyable {
    /// What the buffers of all packets that wait in one instance may take, 64 MiB.
    static let memoryBound = 64 << 20
    /// Of the wheel: 2¹⁶ ns, 66 µs.
    private static let tickBits = 16

    var standard: Limit
    var peers: ContiguousArray<LimitedPeer> = []
    var groups: ContiguousArray<LimitedGroup> = []
    var tally: Tally
    var store = PacketStore()
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

    init(_ standard: Limit, _ environment: StageEnvironment) {
        self.standard = standard
        pool = environment.pool
        tally = Tally(environment.pool)
        wheel = TimerWheel(now: environment.now, tickBits: Self.tickBits)
        departed = ContiguousArray(repeating: PacketStore.List(), count: environment.interfaces)
        hash = FlowHash(key: environment.hashKey)
        wall = environment.wallTime
        moment = environment.now
    }

    // MARK: Down

    mutating func outbound(_ batch: inout PacketBatch) {
        let (interface, now) = (batch.interface, batch.now)
        moment = now
        // For each packet in turn: the flow that the first has found, the second uses.
        var flow: UInt64 = 0
        batch.sort {
            admit($0, &flow, now)
        } taken: {
            enqueue($0, flow, interface, now)
        }
    }

    private mutating func admit(_ packet: borrowing Packet, _ flow: inout UInt64, _ now: Instant) -> Sorting {
        let index = packet.peer.index
        guard peers.indices.contains(index) else { return .pass }
        look(index, now)
        guard !isBlocked(index) else { return .drop(tally.drops.count(packet, .overQuota)) }
        let bytes = packet.innerBytes
        // Where a limit has just gone, what it has held up goes first.
        guard isShaped(index) || peers[index].hasQueue else {
            charge(index, .outbound, bytes, now)
            return .pass
        }
        if nobodyWaits(for: index), packet.wirePackets == 1 || bytes <= wholeBytes(index),
            readiness(index, .outbound, now) <= now
        {
            charge(index, .outbound, bytes, now)
            return .pass
        }
        flow = unsafe hash(packet.contents)
        // What is large would hold up others for long, and what comes behind its own flow's packets would overtake them.
        guard packet.wirePackets == 1 || bytes <= wholeBytes(index), !(peers[index].queue?.holds(flow) ?? false) else {
            return .take
        }
        return bypasses(packet, index, .outbound, bytes, now) ? .pass : .take
    }

    private mutating func bypasses(
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

    private mutating func enqueue(_ packet: consuming Packet, _ flow: UInt64, _ interface: InterfaceID, _ now: Instant)
    {
        let index = packet.peer.index
        makeQueue(for: index, interface)
        let wholeBytes = wholeBytes(index)
        tally.queued += UInt64(packet.wirePackets)
        if packet.wirePackets > 1, packet.innerBytes > wholeBytes {
            cut(packet, index, flow, wholeBytes, now)
        } else {
            hold(packet, index, flow, wholeBytes, now)
        }
        awaken(index, now)
    }

    /// The segments of a super-packet, each as a packet.
    private mutating func cut(
        _ packet: consuming Packet, _ index: Int, _ flow: UInt64, _ wholeBytes: Int, _ now: Instant
    ) {
        tally.cut += 1
        var segmenter = unsafe Segmenter(packet.bytes, count: packet.count, packet.offload)
        while let segment = segmenter.next() {
            var piece = Packet(pool.take(Buffer.size(for: segment.count)), count: segment.count)
            unsafe piece.bytes.copyMemory(from: packet.bytes + segment.offset, byteCount: segment.count)
            piece.peer = packet.peer
            hold(piece, index, flow, wholeBytes, now)
        }
        pool.recycle(packet)
    }

    private mutating func hold(
        _ packet: consuming Packet, _ index: Int, _ flow: UInt64, _ wholeBytes: Int, _ now: Instant
    ) {
        peers[index].queue?.append(packet, flow, wholeBytes: wholeBytes, now, &store, &tally)
        backlog.set(index, peers[index].queuedMemory)
        while store.memory > Self.memoryBound, let greatest = backlog.greatest {
            peers[greatest].queue?.shorten(&store, &tally, .memoryFull)
            backlog.set(greatest, peers[greatest].queuedMemory)
        }
    }

    // MARK: Up

    mutating func inbound(_ batch: inout PacketBatch) {
        let now = batch.now
        moment = now
        batch.filter { police($0, now) }
    }

    private mutating func police(_ packet: borrowing Packet, _ now: Instant) -> Verdict {
        let index = packet.peer.index
        guard peers.indices.contains(index) else { return .pass }
        look(index, now)
        guard !isBlocked(index) else { return .drop(tally.drops.count(packet, .overQuota)) }
        let bytes = packet.innerBytes
        if readiness(index, .inbound, now) <= now {
            charge(index, .inbound, bytes, now)
            return .pass
        }
        return bypasses(packet, index, .inbound, bytes, now) ? .pass : .drop(tally.drops.count(packet, .overLimit))
    }

    // MARK: Departures

    var nextDeadline: Instant {
        departedCount > 0 || !due.isEmpty ? Instant(nanoseconds: 0) : wheel.nextDeadline
    }

    mutating func originate(_ down: inout PacketBatch) {
        moment = down.now
        releaseDue(moment)
        takeDeparted(&down)
    }

    private mutating func takeDeparted(_ batch: inout PacketBatch) {
        while !batch.isFull, let packet = store.removeFirst(&departed[batch.interface.index]) {
            departedCount -= 1
            batch.append(packet)
        }
    }

    /// All that waits, each peer's in the order in which it would have gone.
    mutating func release(_ down: inout PacketBatch) {
        takeDeparted(&down)
        for index in peers.indices {
            guard peers[index].queue?.interface == down.interface else { continue }
            while !down.isFull,
                let packet = peers[index].queue?.next(.patient, wholeBytes: 1, down.now, &store, &tally)
            {
                down.append(packet)
            }
            backlog.set(index, peers[index].queuedMemory)
        }
    }
}
