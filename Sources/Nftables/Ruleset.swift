/// Everything that one table of ours is to hold, whatever stands in the kernel now.
///
/// Names of chains, sets, maps and counters are of letters, digits, `-`, `_` and `.`, begin with a letter, and are no word
/// of nft's own language, so that nft can read back what it lists. Counters and sets keep their state by name.
package struct Ruleset: Hashable, Sendable {
    package var table: Table
    /// Declared beside those that rules name, which need no declaration.
    package var counters: [CounterDefinition]
    package var sets: [SetDefinition]
    package var maps: [VerdictMap]
    package var chains: [Chain]

    package init(
        _ table: Table, counters: [CounterDefinition] = [], sets: [SetDefinition] = [], maps: [VerdictMap] = [],
        chains: [Chain] = []
    ) {
        self.table = table
        self.counters = counters
        self.sets = sets
        self.maps = maps
        self.chains = chains
    }

    /// Each counter once: the declared ones, then those that rules name, in their order.
    package var allCounters: [CounterDefinition] {
        var seen = Set<String>()
        let named = chains.flatMap(\.rules).flatMap(\.counterNames).map { CounterDefinition($0) }
        return (counters + named).filter { seen.insert($0.name).inserted }
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

/// A named counter of packets and bytes. It outlives the rules that count in it while some ruleset wants it.
package struct CounterDefinition: Hashable, Sendable {
    package let name: String

    package init(_ name: String) { self.name = name }
}
