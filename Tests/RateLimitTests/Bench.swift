import Pipeline
import Testing
import Wire

@testable import RateLimit

/// The stage in virtual time, between a worker that feeds it and a wire that takes what departs.
///
/// Not the kit's bench: that one gives the stage a turn after each batch, as a worker does, and what is to be seen here is often
/// before it; and these tests give limits as values, set the calendar, and let millions of packets through. The stage goes
/// through the kit's by chance (`StageLifeTests`). As there, every buffer has to be back in the end.
final class Bench {
    struct Departure: Equatable {
        let at: UInt64
        let bytes: [UInt8]
        let peer: Int
        let interface: Int
    }

    /// Keeps every buffer that a test has made, so that each that is not there is missed.
    let pool = BufferPool(smallBound: 1 << 16, largeBound: 1 << 16)
    let stage: RateLimit
    private var peers: Set<Int> = []
    private(set) var now: Instant
    private(set) var departures: [Departure] = []
    /// What was let in, from peers.
    private(set) var admitted: [Departure] = []
    /// How often the worker had to call it for its deadline.
    private(set) var calls = 0
    private let interfaces: Int

    init(
        _ standard: Limit? = nil, interfaces: Int = 1, at start: UInt64 = 1_000_000_000,
        wall: @escaping @Sendable () -> WallTime = StageEnvironment.noWallTime
    ) {
        now = Instant(nanoseconds: start)
        self.interfaces = interfaces
        stage = RateLimit(
            RateLimit.Options(standard: standard),
            StageEnvironment(
                interfaces: interfaces, pool: pool, now: now, hashKey: SIMD2(1, 2), wallTime: wall))
    }

    deinit {
        for peer in peers { stage.remove(PeerID(peer)) }
        let missing = pool.allocations - pool.spares(.small) - pool.spares(.large)
        if missing > 0 { Issue.record("\(missing) buffers are neither passed on nor given back") }
    }

    func add(_ peer: Int, _ limit: Limit? = nil, group: Int? = nil) {
        peers.insert(peer)
        if let group { stage.set(PeerID(peer), group: GroupID(group)) }
        stage.set(PeerID(peer), limit)
    }

    func down(_ bytes: [UInt8], to peer: Int = 0, offload: Offload = .none, interface: Int = 0) {
        var batch = PacketBatch(pool: pool)
        batch.interface = InterfaceID(interface)
        batch.now = now
        batch.append(Packets.packet(bytes, to: peer, pool, offload: offload))
        stage.outbound(&batch)
        note(&batch, \.departures)
    }

    func up(_ bytes: [UInt8], from peer: Int = 0) {
        var batch = PacketBatch(pool: pool)
        batch.now = now
        batch.append(Packets.packet(bytes, to: peer, pool))
        stage.inbound(&batch)
        note(&batch, \.admitted)
    }

    private func note(_ batch: inout PacketBatch, _ list: ReferenceWritableKeyPath<Bench, [Departure]>) {
        let interface = batch.interface.index
        batch.drain { packet in
            self[keyPath: list].append(
                Departure(
                    at: now.nanoseconds, bytes: Packets.bytes(of: packet), peer: packet.peer.index,
                    interface: interface))
            pool.recycle(packet)
        }
    }

    /// As a worker does: until nothing is owed for this moment.
    func originate() {
        while stage.nextDeadline <= now {
            calls += 1
            for interface in 0..<interfaces {
                var down = PacketBatch(pool: pool)
                var up = PacketBatch(pool: pool)
                down.interface = InterfaceID(interface)
                down.now = now
                up.interface = InterfaceID(interface)
                up.now = now
                stage.originate(down: &down, up: &up)
                note(&down, \.departures)
            }
        }
    }

    /// The stage leaves the pipeline.
    func leave() {
        for interface in 0..<interfaces {
            var count = 0
            repeat {
                var down = PacketBatch(pool: pool)
                var up = PacketBatch(pool: pool)
                down.interface = InterfaceID(interface)
                down.now = now
                stage.release(down: &down, up: &up)
                count = down.count
                note(&down, \.departures)
            } while count > 0
        }
    }

    /// What would be known again of a peer after a restart.
    func memory(of peer: Int = 0) -> String? { stage.memory(of: PeerID(peer)) }

    /// Lets time pass, from deadline to deadline.
    func run(_ interval: Interval) {
        let end = now + interval
        originate()
        while stage.nextDeadline <= end {
            now = max(now, stage.nextDeadline)
            originate()
        }
        now = end
    }

    func takeDepartures() -> [Departure] {
        defer { departures = [] }
        return departures
    }

    /// Every counter and drop that is not 0.
    var counters: [String: UInt64] {
        let report = stage.report
        return Dictionary(uniqueKeysWithValues: (report.counters + report.drops).map { ($0.name, $0.value) })
            .filter { $0.value != 0 }
    }
}

extension BitRate {
    static func mbit(_ count: UInt64) -> BitRate { BitRate(bitsPerSecond: count * 1_000_000) }
}
