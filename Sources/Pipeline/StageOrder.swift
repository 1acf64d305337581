/// Checks that a pipeline can work: that every stage gets what it needs, in both directions.
public enum StageOrder {
    /// The stages that every pipeline has, exactly once, in their order: the pipeline of a file that lists none.
    public static let core = [top, "allowed-ips", "wireguard", bottom]
    private static let top = "tun"
    private static let bottom = "udp"

    /// What is wrong with `stages`, listed from top to bottom; empty when they can work.
    public static func problems(of stages: [StageDeclaration]) -> [Problem] {
        let shape = shapeProblems(of: stages)
        // What follows from a stage that is missing or at the wrong end is not worth telling.
        guard shape.isEmpty else { return shape }
        let path = stages.indices.filter { stages[$0].place == .path }
        let outbound = lacks(stages, path, \.outbound, ahead: Remedy.below, past: Remedy.above)
        let inbound = lacks(stages, path.reversed(), \.inbound, ahead: Remedy.above, past: Remedy.below)
        return merged(outbound + inbound)
    }

    private static func shapeProblems(of stages: [StageDeclaration]) -> [Problem] {
        var problems: [Problem] = []
        var first: [String: Int] = [:]
        for (index, stage) in stages.enumerated() {
            if let earlier = first[stage.name] {
                problems.append(Problem(stage: stage.name, index: index, kind: .repeated(first: earlier)))
            } else {
                first[stage.name] = index
            }
        }
        for name in core where first[name] == nil {
            problems.append(Problem(stage: name, index: nil, kind: .missing))
        }
        guard problems.isEmpty, let tun = first[top], let udp = first[bottom] else { return problems }

        let path = stages.indices.filter { stages[$0].place == .path }
        if let above = path.first, above != tun {
            problems.append(Problem(stage: top, index: tun, kind: .misplaced(.above(stages[above].name))))
        }
        if let below = path.last, below != udp {
            problems.append(Problem(stage: bottom, index: udp, kind: .misplaced(.below(stages[below].name))))
        }
        for index in stages.indices where stages[index].place == .host && index > tun {
            problems.append(Problem(stage: stages[index].name, index: index, kind: .hostStageOnPath(.above(top))))
        }
        return problems
    }

    /// Walks one direction. A fact that some stage still ahead provides puts the needy one behind that stage (`ahead`);
    /// one that a stage already passed has taken away puts it before that stage (`past`).
    private static func lacks(
        _ stages: [StageDeclaration], _ walk: [Int], _ direction: KeyPath<StageDeclaration, Passage>,
        ahead: (String) -> Remedy, past: (String) -> Remedy
    ) -> [Problem] {
        var problems: [Problem] = []
        var facts: Facts = []
        for (step, index) in walk.enumerated() {
            let passage = stages[index][keyPath: direction]
            for (fact, _) in Facts.named where passage.needs.contains(fact) && !facts.contains(fact) {
                let taker = walk[..<step].last { stages[$0][keyPath: direction].removes.contains(fact) }
                let giver = walk[(step + 1)...].first { stages[$0][keyPath: direction].provides.contains(fact) }
                let remedy = taker.map { past(stages[$0].name) } ?? giver.map { ahead(stages[$0].name) }
                problems.append(Problem(stage: stages[index].name, index: index, kind: .lacks(fact, remedy)))
            }
            facts.subtract(passage.removes)
            facts.formUnion(passage.provides)
        }
        return problems
    }

    /// One problem for each stage and remedy: moving it once may give it several facts, in both directions.
    private static func merged(_ problems: [Problem]) -> [Problem] {
        var result: [Problem] = []
        for problem in problems {
            guard case .lacks(let facts, let remedy) = problem.kind else { continue }
            let same = result.firstIndex { earlier in
                guard case .lacks(_, remedy) = earlier.kind else { return false }
                return earlier.index == problem.index
            }
            if let same, case .lacks(let others, _) = result[same].kind {
                result[same] = Problem(
                    stage: problem.stage, index: problem.index, kind: .lacks(others.union(facts), remedy))
            } else {
                result.append(problem)
            }
        }
        return result
    }
}

extension StageOrder {
    /// Where a stage would be right.
    public enum Remedy: Equatable, Sendable {
        case above(String)
        case below(String)
    }

    /// One thing that is wrong with an order.
    public struct Problem: Equatable, Sendable {
        public enum Kind: Equatable, Sendable {
            /// It stands at `first` already.
            case repeated(first: Int)
            /// A core stage that is not there.
            case missing
            /// One of the two ends of the path is not at its end.
            case misplaced(Remedy)
            /// A stage that acts in the kernel stands among those on the path.
            case hostStageOnPath(Remedy)
            /// It needs what no stage before it provides; without a remedy, what no stage provides.
            case lacks(Facts, Remedy?)
        }

        public let stage: String
        /// Its place in the list; nil for one that is missing.
        public let index: Int?
        public let kind: Kind
    }
}

extension StageOrder.Problem {
    /// One sentence: `rate-limit needs the packet's peer: put it below allowed-ips`.
    public var message: String {
        switch kind {
        case .repeated: "\(stage) stands in the pipeline twice"
        case .missing: "the pipeline lacks \(stage)"
        case .misplaced(let remedy):
            switch remedy {
            case .above: "\(stage) is the top of the path: \(remedy.sentence)"
            case .below: "\(stage) is the bottom of the path: \(remedy.sentence)"
            }
        case .hostStageOnPath(let remedy): "\(stage) acts in the kernel, outside of the tunnel: \(remedy.sentence)"
        case .lacks(let facts, let remedy):
            "\(stage) needs \(Self.names(facts))"
                + (remedy.map { ": " + $0.sentence } ?? ", which no stage of this pipeline provides")
        }
    }

    private static func names(_ facts: Facts) -> String {
        Facts.named.filter { facts.contains($0.0) }.map(\.1).joined(separator: " and ")
    }
}

extension StageOrder.Remedy {
    fileprivate var sentence: String {
        switch self {
        case .above(let name): "put it above \(name)"
        case .below(let name): "put it below \(name)"
        }
    }
}
