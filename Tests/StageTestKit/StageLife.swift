import Pipeline
import Support
import Testing
import Wire

/// The life of a stage by chance: peers come, go and change, so do groups of them, its options change, packets of every
/// kind flow both ways, time passes. At the end its peers leave it, or it leaves the pipeline. What holds for every stage
/// is looked at after each step:
///
/// - packets in are packets out, dropped or held;
/// - counters never go back, unless they are declared as gauges;
/// - a packet that was sound is sound, of the same peer and interface, and not before an earlier one of its flow
///   (`PacketLedger`);
/// - nothing of a peer that is gone comes out, and no buffer is lost (`StageBench`);
/// - what a stage has to know again after a restart, it knows then;
/// - a stage that leaves the pipeline sends on all that it holds.
package struct StageLife {
    private static let steps = 100
    private static let peers = 0..<6
    private static let groups = 0..<2
    private static let interfaces = 2
    /// Right before the stage leaves.
    private static let lastBatches = 24

    private let schema: StageSchema
    private let seed: UInt64
    private var random: SeededGenerator
    private var bench: StageBench
    private var last = StageReport()
    private var ledger = PacketLedger()
    /// A peer is of one interface as long as it is there.
    private var interfaceOf: [PeerID: Int] = [:]
    /// The serial number of the next packet.
    private var serial: UInt32 = 0
    /// Packets that were held when the stage left.
    private var released = 0
    /// What it had to know again after a restart, each time it was asked.
    private var remembered = 0
    private let report: (String, SourceLocation) -> Void
    /// Each step as it was taken, for whoever has to find out.
    private var steps: [String] = []

    private init(_ schema: StageSchema, seed: UInt64, _ report: @escaping (String, SourceLocation) -> Void) throws {
        self.report = report
        self.schema = schema
        self.seed = seed
        random = SeededGenerator(seed: seed)
        let options = try RandomOptions.text(schema.options, of: schema.name, using: &random)
        bench = try StageBench(schema, options, interfaces: Self.interfaces, complain: report)
        steps = ["made with \(options)"]
    }

    /// Lives one life; what goes wrong is an issue, with the steps that led to it. How many packets the stage held when it
    /// left a pipeline, and how often it had to know something again of somebody.
    @discardableResult
    package static func live(
        _ schema: StageSchema, seed: UInt64, complain: @escaping (String, SourceLocation) -> Void = StageBench.issue
    ) throws -> (released: Int, remembered: Int) {
        var life = try StageLife(schema, seed: seed, complain)
        for _ in 0..<steps {
            try life.step()
            guard life.isSound() else { return (life.released, life.remembered) }
        }
        life.end()
        return (life.released, life.remembered)
    }

    private mutating func step() throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0...3: try setPeer()
        case 4, 5:
            let number = Int.random(in: Self.peers, using: &random)
            send(interfaceOf[PeerID(number)])  // so that there is something to lose
            steps.append("remove \(number)")
            bench.remove(PeerID(number))
        case 6: try reconfigure()
        case 7, 8: try changeGroup()
        case 9: movePeer()
        case 10...12:
            let nanoseconds = UInt64(1) << UInt64.random(in: 0...34, using: &random)
            steps.append("run \(nanoseconds) ns")
            bench.run(Interval(nanoseconds: nanoseconds))
        default: send()
        }
        remembered += bench.expectMemoriesOverRestart()
        look()
        bench.acceptCounters()
    }

    /// At what has come out.
    private mutating func look() {
        for (direction, packets) in [(Direction.outbound, bench.takeDown()), (.inbound, bench.takeUp())] {
            for packet in packets {
                if let fault = ledger.fault(of: packet, direction) { _ = complain(fault) }
            }
        }
    }

    // MARK: Peers and groups

    private mutating func setPeer() throws {
        let number = Int.random(in: Self.peers, using: &random)
        let options = try someOptions(schema.peerOptions)
        let isThere = bench.peers.contains(PeerID(number))
        let group = isThere ? nil : someGroup()
        if !isThere { interfaceOf[PeerID(number)] = Int.random(in: 0..<Self.interfaces, using: &random) }
        steps.append("set \(number) \(options ?? "without options")\(group.map { ", in group \($0.index)" } ?? "")")
        try bench.set(number, options, group: group)
    }

    private mutating func changeGroup() throws {
        let number = Int.random(in: Self.groups, using: &random)
        guard Int.random(in: 0..<4, using: &random) > 0 else {
            steps.append("remove group \(number)")
            return bench.remove(GroupID(number))
        }
        let options = try someOptions(schema.groupOptions)
        steps.append("set group \(number) \(options ?? "without options")")
        try bench.setGroup(number, options)
    }

    private mutating func movePeer() {
        let peers = bench.peers.sorted { $0.index < $1.index }
        guard !peers.isEmpty else { return }
        let (peer, group) = (peers.pick(&random), someGroup())
        steps.append("\(peer.index) is in \(group.map { "group \($0.index)" } ?? "no group")")
        bench.put(peer, in: group)
    }

    /// One that is there, or none.
    private mutating func someGroup() -> GroupID? {
        let groups = bench.groups.sorted { $0.index < $1.index }
        return Bool.random(using: &random) || groups.isEmpty ? nil : groups.pick(&random)
    }

    private mutating func someOptions(_ type: (any OptionRecord.Type)?) throws -> String? {
        guard type != nil, Bool.random(using: &random) else { return nil }
        return try RandomOptions.text(type, of: schema.name, using: &random)
    }

    // MARK: Options and packets

    private mutating func reconfigure() throws {
        let options = try RandomOptions.text(schema.options, of: schema.name, using: &random)
        steps.append("reconfigure \(options)")
        guard try !bench.reconfigure(options) else { return }
        leave()
        let now = bench.now
        bench = try StageBench(schema, options, interfaces: Self.interfaces, at: now, complain: report)
        last = StageReport()
        steps.append("made anew")
    }

    /// On the interface of a peer that is there, where none is said.
    private mutating func send(_ wanted: Int? = nil) {
        let direction: Direction = Bool.random(using: &random) ? .outbound : .inbound
        let everyone = bench.peers.sorted { $0.index < $1.index }
        guard let interface = wanted ?? (everyone.isEmpty ? nil : interfaceOf[everyone.pick(&random)]) else { return }
        let peers = everyone.filter { interfaceOf[$0] == interface }
        guard !peers.isEmpty else { return }
        let count = Int.random(in: 1...12, using: &random)
        var packets: [(TestPacket, PeerID)] = []
        for _ in 0..<count {
            let packet = RandomTraffic.packet(isWhole: direction == .inbound, &serial, using: &random)
            let peer = peers.pick(&random)
            ledger.enter(packet, peer, interface, direction)
            packets.append((packet, peer))
        }
        steps.append("\(direction) \(count) packets on interface \(interface)")
        bench.enter(packets, interface, direction)
    }

    private mutating func isSound() -> Bool {
        let report = bench.report
        let gauges = Set(schema.declaration.counters.filter(\.isGauge).map(\.name))
        let earlier = Dictionary((last.counters + last.drops).map { ($0.name, $0.value) }) { $0 + $1 }
        let now = Dictionary((report.counters + report.drops).map { ($0.name, $0.value) }) { $0 + $1 }
        last = report
        for (name, value) in earlier where !gauges.contains(name) && (now[name] ?? 0) < value {
            return complain("the counter \(name) has gone back from \(value) to \(now[name] ?? 0)")
        }
        return isBalanced()
    }

    private func isBalanced() -> Bool {
        let dropped = Int(bench.report.drops.reduce(0) { $0 + $1.value })
        let missing = bench.entered - bench.left - dropped
        let account = "\(bench.entered) packets in, \(bench.left) out, \(dropped) dropped"
        if bench.heldBuffers == 0, missing != 0 { return complain("\(account), and none held") }
        if bench.heldBuffers > 0, missing < bench.heldBuffers {
            return complain("\(account), and \(bench.heldBuffers) buffers held")
        }
        return true
    }

    private mutating func end() {
        guard Bool.random(using: &random) else { return leave() }
        steps.append("all peers go")
        bench.acceptCounters()
        bench.finish()
        look()
        _ = isSound()
    }

    private mutating func leave() {
        // So that there is something to hold.
        for _ in 0..<Self.lastBatches { send() }
        steps.append("leaves the pipeline")
        bench.acceptCounters()
        released += bench.leave()
        look()
        _ = isSound()
    }

    private func complain(_ text: String) -> Bool {
        let account = steps.suffix(20).joined(separator: "\n  ")
        report(
            "\(schema.name), seed \(seed): \(text)\n  after \(steps.count) steps, the last:\n  \(account)",
            bench.sourceLocation)
        return false
    }
}
