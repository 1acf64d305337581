import Pipeline
import Testing
import Wire

/// One instance of a stage by itself, as a worker has it: with peers, buffers, and a time that goes where it is told to.
///
///     let bench = try StageBench(DSCP.self, "{ down: ef }")
///     let peer = try bench.set(0)
///     bench.outbound([.udp()], peer)
///     #expect(bench.takeDown().packets == [.udp { $0.trafficClass = 0xb8 }])
///     bench.expect(counters: ["packets-marked": 1])
///
/// When it goes, it looks whether the stage has given back every buffer and whether every counter that moved was
/// expected, and records an issue if not.
package final class StageBench {
    package let schema: StageSchema
    package private(set) var stage: any Stage
    package private(set) var now: Instant
    package let interfaces: Int
    /// The peers that the stage knows of.
    package private(set) var peers: Set<PeerID> = []
    /// The groups that the stage knows of.
    package private(set) var groups: Set<GroupID> = []
    private(set) var groupOf: [PeerID: GroupID] = [:]
    private(set) var peerRecords: [PeerID: (any OptionRecord)?] = [:]
    private(set) var groupRecords: [GroupID: (any OptionRecord)?] = [:]
    /// The stage's options.
    private var record: (any OptionRecord)?
    /// Packets that went in, as they are on the wire.
    package private(set) var entered = 0
    /// Packets that came out, as they are on the wire.
    package private(set) var left = 0

    private var down: [Passed] = []
    private var up: [Passed] = []
    private var expected: Snapshot
    private var isFinished = false
    private let pool: BufferPool
    private var outbound: PacketBatch
    private var inbound: PacketBatch
    let sourceLocation: SourceLocation
    /// What becomes of what is wrong: an issue of the test, unless it is a test of the bench itself.
    let complain: (String, SourceLocation) -> Void

    /// Enough to keep every buffer that a test has made, so that each that is not there is missed.
    private static let poolBound = 1 << 16

    /// `options` as they stand in the pipeline, `{ down: ef }`; nothing for a stage whose bare name stands there.
    package init(
        _ schema: StageSchema, _ options: String = "{}", interfaces: Int = 1, at now: Instant = .benchStart,
        sourceLocation: SourceLocation = #_sourceLocation,
        complain: @escaping (String, SourceLocation) -> Void = StageBench.issue
    ) throws {
        guard let make = schema.make else { throw OptionsText.Problem(text: "\(schema.name) cannot be made by itself") }
        let pool = BufferPool(smallBound: Self.poolBound, largeBound: Self.poolBound)
        let record = try OptionsText.read(options, as: schema.options, of: schema.name)
        self.record = record
        stage = make(record, StageEnvironment(interfaces: interfaces, pool: pool, now: now))
        expected = Snapshot(stage.report)
        outbound = PacketBatch(pool: pool)
        inbound = PacketBatch(pool: pool)
        self.schema = schema
        self.interfaces = interfaces
        self.now = now
        self.pool = pool
        self.sourceLocation = sourceLocation
        self.complain = complain
    }

    package convenience init<Plugin: PluginStage>(
        _ plugin: Plugin.Type, _ options: String = "{}", interfaces: Int = 1, at now: Instant = .benchStart,
        sourceLocation: SourceLocation = #_sourceLocation,
        complain: @escaping (String, SourceLocation) -> Void = StageBench.issue
    ) throws {
        try self.init(
            StageSchema(plugin), options, interfaces: interfaces, at: now, sourceLocation: sourceLocation,
            complain: complain)
    }

    deinit { finish() }

    // MARK: Changes

    /// Tells the stage of a peer, or of its options, as they stand in the peer; nil where the file gives none. `group`
    /// is that of a peer that comes; one that is there changes it by `put`.
    @discardableResult
    package func set(_ number: Int, _ options: String? = nil, group: GroupID? = nil) throws -> PeerID {
        let peer = PeerID(number)
        let record = try options.map { try OptionsText.read($0, as: schema.peerOptions, of: schema.name) } ?? nil
        if let group { put(peer, in: group) }
        stage.set(peer, options: record)
        peers.insert(peer)
        peerRecords[peer] = record
        return peer
    }

    package func remove(_ peer: PeerID) {
        stage.remove(peer)
        peers.remove(peer)
        groupOf[peer] = nil
    }

    /// Tells the stage of a group of peers, or of its options, as they stand in the group; nil where the file gives none.
    @discardableResult
    package func setGroup(_ number: Int, _ options: String? = nil) throws -> GroupID {
        let group = GroupID(number)
        let record = try options.map { try OptionsText.read($0, as: schema.groupOptions, of: schema.name) } ?? nil
        stage.set(group, options: record)
        groups.insert(group)
        groupRecords[group] = record
        return group
    }

    /// The peer is in this group from now on, nil for none.
    package func put(_ peer: PeerID, in group: GroupID?) {
        stage.set(peer, group: group)
        groupOf[peer] = group
    }

    /// Its peers leave it first, as they do in a router.
    package func remove(_ group: GroupID) {
        for peer in groupOf.keys.sorted(by: { $0.index < $1.index }) where groupOf[peer] == group { put(peer, in: nil) }
        stage.remove(group)
        groups.remove(group)
    }

    /// False when the stage has to be made anew for these options.
    package func reconfigure(_ options: String) throws -> Bool {
        let next = try OptionsText.read(options, as: schema.options, of: schema.name)
        guard stage.reconfigure(next) else { return false }
        record = next
        return true
    }

    /// Another instance with the same options, which knows nobody so far.
    func another() -> (any Stage)? {
        schema.make?(record, StageEnvironment(interfaces: interfaces, pool: pool, now: now))
    }

    package func take(_ notice: Notice) { stage.take(notice) }

    // MARK: Packets and time

    /// Packets on their way to `peer`, at this moment and as one batch if they are not too many for it.
    package func outbound(_ packets: [TestPacket], _ peer: PeerID, interface: Int = 0) {
        enter(packets.map { ($0, peer) }, interface, .outbound)
    }

    /// Packets on their way from `peer`.
    package func inbound(_ packets: [TestPacket], _ peer: PeerID, interface: Int = 0) {
        enter(packets.map { ($0, peer) }, interface, .inbound)
    }

    /// Packets of several peers.
    package func enter(_ packets: [(packet: TestPacket, peer: PeerID)], _ interface: Int, _ direction: Direction) {
        var rest = packets[...]
        while !rest.isEmpty {
            prepare(interface)
            let chunk = rest.prefix(PacketBatch.capacity)
            rest = rest.dropFirst(chunk.count)
            for (packet, peer) in chunk {
                entered += packet.wirePackets
                switch direction {
                case .outbound: outbound.append(packet.packet(pool, peer: peer))
                case .inbound: inbound.append(packet.packet(pool, peer: peer))
                }
            }
            switch direction {
            case .outbound: stage.outbound(&outbound)
            case .inbound: stage.inbound(&inbound)
            }
            collect()
        }
        originate()
    }

    /// Lets time pass, with a turn for the stage whenever it has asked for one.
    package func run(_ interval: Interval) { run(until: now + interval) }

    package func run(until end: Instant) {
        originate()
        while stage.nextDeadline <= end {
            now = max(now, stage.nextDeadline)
            originate()
            guard stage.nextDeadline > now else { break }  // it goes in circles, which `originate` has told
        }
        now = max(now, end)
    }

    /// How often a stage may ask for a turn at one moment, as a worker lets it, and some more.
    private static let turnBound = 1000

    private func originate() {
        for _ in 0..<Self.turnBound {
            guard stage.nextDeadline <= now else { return }
            for interface in 0..<interfaces {
                prepare(interface)
                stage.originate(down: &outbound, up: &inbound)
                collect()
            }
        }
        complain("\(schema.name) asks for a turn again and again at \(now.nanoseconds) ns", sourceLocation)
    }

    private func prepare(_ interface: Int) {
        outbound.interface = InterfaceID(interface)
        outbound.now = now
        inbound.interface = InterfaceID(interface)
        inbound.now = now
    }

    private func collect() {
        Self.collect(&outbound, self, into: &down)
        Self.collect(&inbound, self, into: &up)
    }

    private static func collect(_ batch: inout PacketBatch, _ bench: StageBench, into list: inout [Passed]) {
        let interface = batch.interface
        batch.drain { packet in
            let passed = Passed(
                packet: TestPacket(packet), peer: packet.peer, interface: interface, moment: bench.now)
            bench.left += packet.wirePackets
            if passed.peer != .none, !bench.peers.contains(passed.peer) {
                bench.complain(
                    "a packet of peer \(passed.peer.index), who is not there, came out", bench.sourceLocation)
            }
            list.append(passed)
            bench.pool.recycle(packet)
        }
        batch.notices.removeAll()
    }

    /// What has come out towards the wire since the last call.
    package func takeDown() -> [Passed] {
        defer { down = [] }
        return down
    }

    /// What has come out towards the host since the last call.
    package func takeUp() -> [Passed] {
        defer { up = [] }
        return up
    }

    /// How many packets of a batch the stage has in its keeping, each as one however many segments it has.
    package var heldBuffers: Int {
        pool.allocations - pool.spares(.small) - pool.spares(.large)
    }

    // MARK: Counters

    /// Expects that exactly these counters and drops have moved since the last time, each by this much.
    package func expect(
        counters: [String: Int] = [:], dropped: [String: Int] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let current = Snapshot(stage.report)
        let moved = current.moved(since: expected)
        expected = current
        if let complaint = moved.complaint(Snapshot(counters: counters, drops: dropped)) {
            complain(complaint, sourceLocation)
        }
    }

    /// Expects that packets were dropped for this reason, and what else has moved.
    package func expect<Reason: DropReason>(
        dropped reason: Reason, _ count: Int = 1, counters: [String: Int] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expect(counters: counters, dropped: [reason.name: count], sourceLocation: sourceLocation)
    }

    /// Takes the counters as they stand, for tests by chance that know them only in sum.
    package func acceptCounters() { expected = Snapshot(stage.report) }

    /// Every counter as it stands, whether it was expected or not.
    package var report: StageReport { stage.report }

    // MARK: The end

    /// How long a stage may take to let go of what it holds once its peers are gone.
    private static let patience = Interval.seconds(3600)

    /// Expects that no more counters have moved, takes every peer away, and expects every buffer back. Happens by itself
    /// when the bench goes.
    package func finish() {
        guard !isFinished else { return }
        isFinished = true
        expect(sourceLocation: sourceLocation)
        for peer in peers.sorted(by: { $0.index < $1.index }) { remove(peer) }
        for group in groups.sorted(by: { $0.index < $1.index }) { remove(group) }
        run(Self.patience)
        if heldBuffers > 0 {
            complain("\(schema.name) has neither passed on nor given back \(heldBuffers) buffers", sourceLocation)
        }
    }

    /// The stage leaves the pipeline: what it holds comes out, now and all of it. The end of the bench too; how many
    /// packets came.
    @discardableResult
    package func leave() -> Int {
        guard !isFinished else { return 0 }
        isFinished = true
        expect(sourceLocation: sourceLocation)
        let (before, dropped) = (left, Snapshot(stage.report).drops)
        for interface in 0..<interfaces { release(interface) }
        if heldBuffers > 0 {
            complain("\(schema.name) has left and kept \(heldBuffers) buffers", sourceLocation)
        }
        if Snapshot(stage.report).drops != dropped {
            complain("\(schema.name) has dropped packets when it left", sourceLocation)
        }
        return left - before
    }

    private func release(_ interface: Int) {
        for _ in 0..<Self.turnBound {
            let before = left
            prepare(interface)
            stage.release(down: &outbound, up: &inbound)
            collect()
            guard left > before else { return }
        }
        complain("\(schema.name) never comes to an end of what it holds", sourceLocation)
    }

    package static func issue(_ text: String, _ sourceLocation: SourceLocation) {
        Issue.record("\(text)", sourceLocation: sourceLocation)
    }
}

extension Instant {
    /// Not 0, so that nothing passes only because time begins there.
    package static let benchStart = Instant(nanoseconds: 1_000_000_000)
}
