import Pipeline
import Wire

/// A stage that holds packets: each peer's leave one an interval, in the order they came, in either direction.
final class Shaper: Stage {
    static let declaration = StageDeclaration(
        name: "shaper", summary: "", outbound: Passage(needs: [.plaintext, .peer]),
        inbound: Passage(needs: [.plaintext, .peer]), counters: counters, drops: Drop.self)

    private static let counters = [Counter<Shaper>("packets-released", "packets that have waited") { $0.released }]

    enum Drop: Int, DropReason {
        case full, peerGone
        var name: String { self == .full ? "queue-full" : "peer-gone" }
    }

    struct Rate: OptionRecord {
        var interval: Interval
        init(interval: Interval) { self.interval = interval }
        init?(_ options: inout OptionReader) { return nil }
    }

    /// Packets of a peer that wait, in each direction.
    static let bound = 300

    private final class Queue {
        var packets: [Held] = []
        var due = Instant.never
    }
    /// Boxes, because an array cannot hold what is not copied.
    private final class Held {
        private var packet: Packet?
        init(_ packet: consuming Packet) { self.packet = consume packet }
        func take() -> Packet? { packet.take() }
    }
    private final class PeerState {
        let interface: InterfaceID
        var interval: Interval
        let down = Queue()
        let up = Queue()
        init(_ interface: InterfaceID, _ interval: Interval) {
            self.interface = interface
            self.interval = interval
        }
    }

    private let pool: BufferPool
    private var rate: Interval
    private var rates: [PeerID: Interval] = [:]
    private var states: [PeerID: PeerState] = [:]
    private var drops = DropCounters<Drop>()
    private var released: UInt64 = 0

    private(set) var added: [PeerID] = []
    private(set) var notices: [PeerID] = []
    var peersWithState: Set<PeerID> { Set(states.keys) }

    init(every interval: Interval, _ pool: BufferPool) {
        rate = interval
        self.pool = pool
    }

    func insert(above name: String, _ stages: [any Stage]) -> [any Stage] {
        stages.flatMap { stage -> [any Stage] in type(of: stage).declaration.name == name ? [self, stage] : [stage] }
    }

    func outbound(_ batch: inout PacketBatch) { hold(&batch) { $0.down } }
    func inbound(_ batch: inout PacketBatch) { hold(&batch) { $0.up } }

    private func hold(_ batch: inout PacketBatch, _ queue: (PeerState) -> Queue) {
        let (interface, now) = (batch.interface, batch.now)
        batch.sort { packet in
            if states[packet.peer] == nil {
                states[packet.peer] = PeerState(interface, rates[packet.peer] ?? rate)
            }
            let full = states[packet.peer].map { queue($0).packets.count >= Self.bound } ?? true
            return full ? .drop(drops.count(packet, .full)) : .take
        } taken: { packet in
            guard let state = states[packet.peer] else { return }
            let queue = queue(state)
            if queue.packets.isEmpty { queue.due = now + state.interval }
            queue.packets.append(Held(packet))
        }
    }

    var nextDeadline: Instant {
        states.values.reduce(.never) { min($0, $1.down.due, $1.up.due) }
    }

    func originate(down: inout PacketBatch, up: inout PacketBatch) {
        for state in states.values where state.interface == down.interface {
            release(state.down, state.interval, into: &down)
            release(state.up, state.interval, into: &up)
        }
    }

    private func release(_ queue: Queue, _ interval: Interval, into batch: inout PacketBatch) {
        while queue.due <= batch.now, !batch.isFull, !queue.packets.isEmpty {
            if let packet = queue.packets.removeFirst().take() { batch.append(packet) }
            released += 1
            queue.due = queue.packets.isEmpty ? .never : queue.due + interval
        }
    }

    func release(down: inout PacketBatch, up: inout PacketBatch) {
        for state in states.values where state.interface == down.interface {
            state.down.due = down.now
            state.up.due = up.now
            release(state.down, .seconds(0), into: &down)
            release(state.up, .seconds(0), into: &up)
        }
    }

    func take(_ notice: Notice) {
        if case .sourceGone(let peer) = notice { notices.append(peer) }
    }

    func set(_ peer: PeerID, options: (any OptionRecord)?) {
        if !added.contains(peer) { added.append(peer) }
        guard let options = options as? Rate else { return }
        rates[peer] = options.interval
        states[peer]?.interval = options.interval
    }

    func remove(_ peer: PeerID) {
        guard let state = states.removeValue(forKey: peer) else { return }
        for queue in [state.down, state.up] {
            for held in queue.packets {
                guard let packet = held.take() else { continue }
                drops.count(.peerGone, packet.wirePackets)
                pool.recycle(packet)
            }
        }
    }

    var report: StageReport {
        StageReport(Self.counters, of: self, drops: drops.report)
    }
}
