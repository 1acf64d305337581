import Pipeline
import Wire

/// The packets of one peer that wait: a queue for each flow, each under CoDel, served by deficit round robin, those
/// first that had nothing waiting (FlowQueue-CoDel, RFC 8290).
struct FlowQueue {
    /// Flows that share a queue by chance are one in so many. RFC 8290 §5.2.4 has 1024 for a whole link; this is one
    /// peer's part of it.
    static let flowCount = 256
    /// The most packets that wait, and what their buffers may take.
    static let packetBound = 8192
    static let memoryBound = 24 << 20
    /// The most packets dropped at once where there are too many (RFC 8290 §4.1).
    private static let dropBound = 64

    private struct Flow {
        enum Standing {
            case idle, new, old
        }
        var packets = PacketStore.List()
        var count = 0
        var bytes = 0
        var deficit = 0
        var standing = Standing.idle
        var codel = CoDel()
        /// The one behind in its list of flows.
        var next: Int32 = -1
    }

    private struct FlowList {
        private(set) var first: Int32 = -1
        private var last: Int32 = -1

        mutating func append(_ index: Int, _ flows: inout ContiguousArray<Flow>) {
            flows[index].next = -1
            if last >= 0 { flows[Int(last)].next = Int32(index) } else { first = Int32(index) }
            last = Int32(index)
        }

        mutating func removeFirst(_ flows: ContiguousArray<Flow>) {
            first = flows[Int(first)].next
            if first < 0 { last = -1 }
        }
    }

    private var flows = ContiguousArray(repeating: Flow(), count: flowCount)
    private var newFlows = FlowList()
    private var oldFlows = FlowList()
    private(set) var count = 0
    private(set) var memory = 0
    /// Whose packets these are, and by which interface they leave.
    var interface = InterfaceID(0)

    var isEmpty: Bool { count == 0 }

    /// Whether packets of that flow wait, or of one that shares its queue.
    func holds(_ hash: UInt64) -> Bool { flows[Int(hash % UInt64(Self.flowCount))].count > 0 }

    /// What a flow may send in one round: a packet, or a whole entry of those that are not cut.
    private static func quantum(_ wholeBytes: Int) -> Int {
        max(CoDel.Parameters.standard.largestPacket, min(wholeBytes, Int(UInt16.max)))
    }

    // MARK: Enqueue (RFC 8290 §4.1)

    mutating func append(
        _ packet: consuming Packet, _ hash: UInt64, wholeBytes: Int, _ now: Instant, _ store: inout PacketStore,
        _ tally: inout Tally
    ) {
        let bytes = packet.innerBytes
        let index = Int(hash % UInt64(Self.flowCount))
        let note = PacketStore.Note(bytes: bytes, arrival: now, memory: packet.buffer.size.rawValue)
        store.append(packet, note, to: &flows[index].packets)
        flows[index].count += 1
        flows[index].bytes += bytes
        count += 1
        memory += note.memory
        if flows[index].standing == .idle {
            flows[index].standing = .new
            flows[index].deficit = Self.quantum(wholeBytes)
            newFlows.append(index, &flows)
        }
        while isOverfull { shorten(&store, &tally, .queueFull) }
    }

    /// More wait than may.
    private var isOverfull: Bool { count > Self.packetBound || memory > Self.memoryBound }

    /// Drops half of the flow that takes the most, from its head and not too many at once, so that looking for it is not
    /// each packet's work.
    mutating func shorten(_ store: inout PacketStore, _ tally: inout Tally, _ reason: RateLimitDrop) {
        var longest = 0
        for index in flows.indices where flows[index].bytes > flows[longest].bytes { longest = index }
        let excess = min(Self.dropBound, (flows[longest].count + 1) / 2)
        for _ in 0..<excess {
            guard let packet = takeFirst(of: longest, &store) else { return }
            tally.drop(packet, reason)
        }
    }

    // MARK: Dequeue (RFC 8290 §4.2)

    /// The next packet that is to go; nil when none is left.
    mutating func next(
        _ codel: CoDel.Parameters, wholeBytes: Int, _ now: Instant, _ store: inout PacketStore, _ tally: inout Tally
    ) -> Packet? {
        while true {
            let isNew = newFlows.first >= 0
            let index = Int(isNew ? newFlows.first : oldFlows.first)
            guard index >= 0 else { return nil }
            if flows[index].deficit <= 0 {
                flows[index].deficit += Self.quantum(wholeBytes)
                retire(index, isNew)
                continue
            }
            if let packet = head(of: index, codel, now, &store, &tally) {
                flows[index].deficit -= packet.innerBytes
                return packet
            }
            if isNew {
                // It has had its turn as a new flow: coming back at once does not give it another one.
                retire(index, isNew)
            } else {
                oldFlows.removeFirst(flows)
                flows[index].standing = .idle
            }
        }
    }

    /// The first packet that CoDel lets go.
    private mutating func head(
        of index: Int, _ parameters: CoDel.Parameters, _ now: Instant, _ store: inout PacketStore,
        _ tally: inout Tally
    ) -> Packet? {
        while !flows[index].packets.isEmpty {
            let note = store.note(ofFirst: flows[index].packets)
            let isJudged = flows[index].codel.judges(
                now - note.arrival, backlog: flows[index].bytes - note.bytes, now: now, parameters)
            let isMarked = isJudged && store.withFirst(flows[index].packets) { tally.mark(&$0) } ?? false
            guard let packet = takeFirst(of: index, &store) else { return nil }
            if isMarked { flows[index].codel.marked(parameters) }
            guard isJudged, !isMarked else { return packet }
            tally.drop(packet, .codel)
        }
        flows[index].codel.emptied()
        return nil
    }

    private mutating func takeFirst(of index: Int, _ store: inout PacketStore) -> Packet? {
        guard !flows[index].packets.isEmpty else { return nil }
        let note = store.note(ofFirst: flows[index].packets)
        flows[index].count -= 1
        flows[index].bytes -= note.bytes
        count -= 1
        memory -= note.memory
        return store.removeFirst(&flows[index].packets)
    }

    /// Drops all that waits.
    mutating func removeAll(_ store: inout PacketStore, _ tally: inout Tally, _ reason: RateLimitDrop) {
        for index in flows.indices {
            while let packet = takeFirst(of: index, &store) { tally.drop(packet, reason) }
        }
        reset()
    }

    /// As new, for another peer. To be called when it is empty.
    mutating func reset() {
        for index in flows.indices where flows[index].standing != .idle || flows[index].codel.count > 0 {
            flows[index] = Flow()
        }
        newFlows = FlowList()
        oldFlows = FlowList()
    }

    /// From the head of its list to the tail of the old ones.
    private mutating func retire(_ index: Int, _ isNew: Bool) {
        if isNew { newFlows.removeFirst(flows) } else { oldFlows.removeFirst(flows) }
        flows[index].standing = .old
        oldFlows.append(index, &flows)
    }
}
