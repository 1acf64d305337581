import Pipeline
import Support
import Testing
import Wire

/// The life of a stage by chance: peers come, go and change, its options change, packets of every kind flow both ways,
/// time passes. What holds for every stage is looked at after each step:
///
/// - packets in are packets out, dropped or held;
/// - counters never go back, unless they are declared as gauges;
/// - nothing of a peer that is gone comes out, and no buffer is lost (`StageBench`).
package struct StageLife {
    private static let steps = 100
    private static let peers = 0..<6
    private static let interfaces = 2

    private let schema: StageSchema
    private let seed: UInt64
    private var random: SeededGenerator
    private var bench: StageBench
    private var last = StageReport()
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

    /// Lives one life; what goes wrong is an issue, with the steps that led to it.
    package static func live(
        _ schema: StageSchema, seed: UInt64, complain: @escaping (String, SourceLocation) -> Void = StageBench.issue
    ) throws {
        var life = try StageLife(schema, seed: seed, complain)
        for _ in 0..<steps {
            try life.step()
            guard life.isSound() else { return }
        }
        life.end()
    }

    private mutating func step() throws {
        let number = Int.random(in: Self.peers, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1:
            let isBare = schema.peerOptions == nil || Bool.random(using: &random)
            let options = isBare ? nil : try RandomOptions.text(schema.peerOptions, of: schema.name, using: &random)
            steps.append("set \(number) \(options ?? "without options")")
            try bench.set(number, options)
        case 2:
            steps.append("remove \(number)")
            bench.remove(PeerID(number))
        case 3: try reconfigure()
        case 4, 5:
            let nanoseconds = UInt64(1) << UInt64.random(in: 0...34, using: &random)
            steps.append("run \(nanoseconds) ns")
            bench.run(Interval(nanoseconds: nanoseconds))
        default: send()
        }
        _ = bench.takeDown()
        _ = bench.takeUp()
        bench.acceptCounters()
    }

    private mutating func reconfigure() throws {
        let options = try RandomOptions.text(schema.options, of: schema.name, using: &random)
        steps.append("reconfigure \(options)")
        guard try !bench.reconfigure(options) else { return }
        end()
        let now = bench.now
        bench = try StageBench(schema, options, interfaces: Self.interfaces, at: now, complain: report)
        last = StageReport()
        steps.append("made anew")
    }

    private mutating func send() {
        let direction: StageBench.Direction = Bool.random(using: &random) ? .outbound : .inbound
        let interface = Int.random(in: 0..<Self.interfaces, using: &random)
        let peers = bench.peers.sorted { $0.index < $1.index }
        guard !peers.isEmpty else { return }
        let count = Int.random(in: 1...12, using: &random)
        var packets: [(TestPacket, PeerID)] = []
        for _ in 0..<count {
            packets.append(
                (RandomTraffic.packet(isWhole: direction == .inbound, using: &random), peers.pick(&random)))
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
        bench.acceptCounters()
        bench.finish()
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
