/// What the kernel has in a table, as of one generation.
package struct TableContents: Hashable, Sendable {
    /// Counts the changes to all tables of the network namespace.
    package var generation: UInt32
    /// Whether the table is there.
    package var exists = false
    /// The kernel's number for it, which no later table gets.
    var handle: UInt64 = 0
    /// Who has made it says so here; empty where nobody does.
    package var comment = ""
    /// Whether the kernel leaves the table alone (`flags dormant`).
    var isDormant = false
    /// The netlink port of the process that alone may change the table; nil where everybody may.
    package var owner: UInt32?
    package var chains: [Chain] = []
    /// In each chain's order.
    package var rules: [Rule] = []
    /// By name.
    package var counters: [String: CounterValue] = [:]
    /// Named objects that are no counters, none of them ours.
    var otherObjects: Set<Object> = []
    var sets: [KernelSet] = []

    package struct Chain: Hashable, Sendable {
        package var name: String
        package var handle: UInt64
        /// nil too for a kind of base chain that none of ours is.
        package var base: Nftables.Chain.Base?
        var isBase = false
    }

    struct Object: Hashable, Sendable {
        var name: String
        var type: UInt32
    }

    package struct Rule: Hashable, Sendable {
        package var chain: String
        package var handle: UInt64
        package var comment: String
    }

    package init(generation: UInt32 = 0) { self.generation = generation }

    /// Whether this is the table that was read `earlier`, and nobody has changed anything in it since. What its counters have
    /// counted does not matter. Handles tell: a rule or chain that is put anew has another one.
    package func isUnchanged(since earlier: TableContents) -> Bool {
        var (now, then) = (self, earlier)
        now.forgetWhatCounts()
        then.forgetWhatCounts()
        return now == then
    }

    private mutating func forgetWhatCounts() {
        generation = 0
        counters = counters.mapValues { _ in CounterValue() }
    }

    /// Why the table is not ours to change; nil when it is, or when there is none.
    func objection(to table: Table) -> NftablesError? {
        if let owner { return .owned(table: table.name, port: owner) }
        return exists && !table.mark.isEmpty && comment != table.mark ? .foreign(table: table.name) : nil
    }

    /// How many elements each named set or map has.
    package var elementCounts: [String: Int] {
        Dictionary(sets.map { ($0.name, $0.elements.count) }, uniquingKeysWith: { first, _ in first })
    }
}

/// What a named counter has counted.
package struct CounterValue: Hashable, Sendable {
    package var packets: UInt64
    package var bytes: UInt64

    package init(packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.packets = packets
        self.bytes = bytes
    }
}
