import Pipeline
import Wire

/// Holds every packet for a while; and can be told to do it wrong.
final class Hold: PluginStage {
    package static let declaration = StageDeclaration(
        name: "hold", summary: "holds every packet for a while", outbound: Passage(needs: [.plaintext, .peer]),
        inbound: Passage(needs: [.plaintext, .peer]), counters: counters, drops: Drop.self)

    private static let counters: [Counter<Hold>] = [
        Counter("packets-released", "packets that have waited") { $0.released },
        Counter("packets-held", "packets that wait", isGauge: true) { hold in
            UInt64(hold.held.reduce(0) { $0 + $1.packets })
        },
    ]

    package enum Drop: Int, DropReason {
        case peerGone
        package var name: String { "peer-gone" }
    }

    package enum Fault: String, OptionChoice {
        case none
        /// Forgets packets instead of giving their buffers back.
        case lose
        /// Keeps the packets of peers that go.
        case keep
        /// Is never content.
        case owe
        /// Keeps what it holds when it leaves.
        case take
        /// Drops what it holds when it leaves.
        case drop
        /// Damages packets.
        case spoil
        /// Lets the last go first.
        case reverse
        /// Takes packets for another peer's.
        case mistake
    }

    package struct Options: OptionRecord {
        let delay: Interval
        let fault: Fault

        init(_ delay: Interval, _ fault: Fault) {
            self.delay = delay
            self.fault = fault
        }

        package init?(_ options: inout OptionReader) {
            let delay = options.require("delay", as: Interval.self)
            fault = options.optional("fault", default: .none)
            guard let delay else { return nil }
            self.delay = delay
        }
    }

    package struct PeerOptions: OptionRecord {
        let delay: Interval?
        package init?(_ options: inout OptionReader) { delay = options.optional("delay") }
    }

    /// Without a way to go wrong.
    struct SoundOptions: OptionRecord {
        let delay: Interval

        init?(_ options: inout OptionReader) {
            guard let delay = options.require("delay", as: Interval.self) else { return nil }
            self.delay = delay
        }
    }

    /// The stage with one fault, whatever its options.
    static func schema(_ fault: Fault) -> StageSchema {
        StageSchema(declaration, options: SoundOptions.self, peerOptions: PeerOptions.self) {
            let options = $0 as? SoundOptions
            return Hold(Options(options?.delay ?? Interval(nanoseconds: 0), fault), $1)
        }
    }

    private final class Held {
        private var packet: Packet?
        let peer: PeerID
        let packets: Int
        let interface: InterfaceID
        let isDown: Bool
        let due: Instant
        init(_ packet: consuming Packet, _ interface: InterfaceID, isDown: Bool, due: Instant) {
            peer = packet.peer
            packets = packet.wirePackets
            self.packet = consume packet
            (self.interface, self.isDown, self.due) = (interface, isDown, due)
        }
        func take() -> Packet? { packet.take() }
    }

    private var options: Options
    private var peers = PeerTable<PeerOptions>()
    private let pool: BufferPool
    private var held: [Held] = []
    private var drops = DropCounters<Drop>()
    private var released: UInt64 = 0

    package init(_ options: Options, _ environment: StageEnvironment) {
        self.options = options
        pool = environment.pool
    }

    package func outbound(_ batch: inout PacketBatch) { hold(&batch, isDown: true) }
    package func inbound(_ batch: inout PacketBatch) { hold(&batch, isDown: false) }

    private func hold(_ batch: inout PacketBatch, isDown: Bool) {
        let (interface, now) = (batch.interface, batch.now)
        batch.sort { _ in
            .take
        } taken: {
            hold($0, interface, isDown: isDown, now)
        }
    }

    private func hold(_ packet: consuming Packet, _ interface: InterfaceID, isDown: Bool, _ now: Instant) {
        guard options.fault != .lose else { return }
        let peer = packet.peer
        let delay = peers[peer]?.delay ?? options.delay
        let earlier = held.last { $0.peer == peer && $0.interface == interface && $0.isDown == isDown }
        let due = max(now + delay, earlier?.due ?? now)
        held.append(Held(packet, interface, isDown: isDown, due: due))
    }

    package var nextDeadline: Instant {
        options.fault == .owe ? Instant(nanoseconds: 0) : held.map(\.due).min() ?? .never
    }

    package func originate(down: inout PacketBatch, up: inout PacketBatch) {
        let now = down.now
        letGo(&down, &up) { $0.due <= now }
    }

    package func release(down: inout PacketBatch, up: inout PacketBatch) {
        switch options.fault {
        case .take: break
        case .drop:
            for packet in held {
                drops.count(.peerGone, packet.packets)
                if let bytes = packet.take() { pool.recycle(bytes) }
            }
            held = []
        default: letGo(&down, &up) { _ in true }
        }
    }

    private func letGo(_ down: inout PacketBatch, _ up: inout PacketBatch, where isTime: (Held) -> Bool) {
        let interface = down.interface
        var rest: [Held] = []
        let mistaken = options.fault == .mistake ? held.first?.peer : nil
        if options.fault == .reverse { held.reverse() }
        for packet in held {
            let isFull = packet.isDown ? down.isFull : up.isFull
            if !isTime(packet) || packet.interface != interface || isFull {
                rest.append(packet)
            } else if var bytes = packet.take() {
                if let mistaken { bytes.peer = mistaken }
                if options.fault == .spoil { spoil(bytes) }
                if packet.isDown { down.append(bytes) } else { up.append(bytes) }
                released += UInt64(packet.packets)
            }
        }
        held = rest
    }

    private func spoil(_ packet: borrowing Packet) {
        let last = unsafe packet.bytes + packet.count - 1
        unsafe last.storeBytes(of: ~last.load(as: UInt8.self), as: UInt8.self)
    }

    package func set(_ peer: PeerID, _ options: PeerOptions?) { peers[peer] = options }

    package func remove(_ peer: PeerID) {
        peers[peer] = nil
        guard options.fault != .keep else { return }
        for packet in held where packet.peer == peer {
            drops.count(.peerGone, packet.packets)
            if let bytes = packet.take() { pool.recycle(bytes) }
        }
        held.removeAll { $0.peer == peer }
    }

    package func reconfigure(_ options: Options) -> Bool {
        self.options = options
        return true
    }

    package var report: StageReport { StageReport(Self.counters, of: self, drops: drops.report) }
}
