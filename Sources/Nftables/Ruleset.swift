/// Everything that one table of ours is to hold, whatever stands in the kernel now.
///
/// Names of chains, sets and counters are of letters, digits, `-`, `_` and `.`, begin with a letter, and are no word
/// of nft's own language, so that nft can read back what it lists. Counters and sets keep their state by name.
package struct Ruleset: Hashable, Sendable {
    package var table: Table
    package var sets: [SetDefinition]
    package var chains: [Chain]

    package init(_ table: Table, sets: [SetDefinition] = [], chains: [Chain] = []) {
        self.table = table
        self.sets = sets
        self.chains = chains
    }

    /// Each counter that rules name once, in their order. It outlives the rules while some ruleset names it.
    package var counters: [String] {
        var seen = Set<String>()
        return chains.flatMap(\.rules).flatMap(\.counterNames).filter { seen.insert($0).inserted }
    }
}

/// A table of the family `inet`, which sees IPv4 and IPv6.
package struct Table: Hashable, Sendable {
    package let name: String
    /// The table's comment (Linux 5.10), which tells ours from what somebody else has called the same. With none, whatever
    /// stands in a table of that name is taken for ours.
    package let mark: String

    package init(_ name: String, mark: String = "") {
        self.name = name
        self.mark = mark
    }
}
