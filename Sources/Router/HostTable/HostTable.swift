import Control
import HostStages
import Locking
import Nftables
import Pipeline

/// The one table of the router in nftables, and the coordinator of the stages that act there: each says what it wants, and
/// all of it becomes one transaction. Told of in etc/decisions/host-stages.md.
///
/// Works in the network namespace of the thread that first has something to do with it. A router without host stages does
/// not need nftables.
final class HostTable: Sendable {
    private struct State: ~Copyable {
        /// Opened when it is first needed.
        var socket: NftablesSocket?
        /// What the kernel has of ours; nil when that is nothing.
        var applied: Ruleset?
        var listing: [ListedRule] = []
        /// Whether the table was there before us, left by a router of this name that has not come to its end.
        var isInherited = false
    }

    private let table: Table
    private let state = Guarded(State())

    init(router: String) { table = Table("fullbore-\(router)") }

    /// Makes the table what the stages of `context` want; without such stages there is none. True when that is something
    /// else than before. Packets see either the old rules or the new ones; when it throws, the old ones.
    @discardableResult
    func apply(_ context: FileContext) throws(NftablesError) -> Bool {
        let stages = context.stages.compactMap { $0.options as? any HostOptions }
        let intents = stages.map { $0.intent(in: context) }
        return try state.withLock { state throws(NftablesError) -> Bool in
            guard !stages.isEmpty else { return try Self.remove(table, &state) }
            let ruleset = Ruleset(router: context.router, intents)
            state.listing = intents.flatMap(\.listing)
            guard ruleset != state.applied else { return false }
            var socket = try Self.socket(&state)
            if state.applied == nil { state.isInherited = try socket.read(table).exists }
            try socket.apply(ruleset)
            state.socket = consume socket
            state.applied = ruleset
            return true
        }
    }

    /// A router without host stages takes away what an earlier one of its name has left. Where there is no nftables, or
    /// it may not be asked, there is nothing to take away.
    func clear() {
        state.withLock { state in
            guard var socket = try? NftablesSocket(), (try? socket.read(table))?.exists == true else { return }
            try? socket.remove(table)
        }
    }

    /// The start has failed: no rules that were not there before. Those that were there stay, so that what they close
    /// stays closed.
    func giveUpStart() throws(NftablesError) {
        try state.withLock { state throws(NftablesError) in
            if !state.isInherited { _ = try Self.remove(table, &state) }
        }
    }

    /// At a clean end, when all else has been taken back.
    func takeBack() throws(NftablesError) {
        try state.withLock { state throws(NftablesError) in _ = try Self.remove(table, &state) }
    }

    private static func remove(_ table: Table, _ state: inout State) throws(NftablesError) -> Bool {
        guard state.applied != nil else { return false }
        var socket = try socket(&state)
        try socket.remove(table)
        state.socket = consume socket
        state.applied = nil
        state.listing = []
        return true
    }

    /// The one that was used before; a conversation that has failed is not gone on with.
    private static func socket(_ state: inout State) throws(NftablesError) -> NftablesSocket {
        if let socket = state.socket.take() { return socket }
        return try NftablesSocket()
    }

    /// Every rule as its user knows it, with what it has matched.
    func status(router: String) throws(NftablesError) -> HostTableStatus {
        try state.withLock { state throws(NftablesError) -> HostTableStatus in
            guard state.applied != nil else { return HostTableStatus(router: router, table: nil, rules: []) }
            var socket = try Self.socket(&state)
            let counters = try socket.counters(of: table)
            state.socket = consume socket
            let rules = state.listing.map { rule in
                let count = counters[rule.counter] ?? CounterValue()
                return HostTableStatus.Rule(
                    stage: rule.stage, line: rule.line, text: rule.text, counter: rule.counter, packets: count.packets,
                    bytes: count.bytes)
            }
            return HostTableStatus(router: router, table: table.name, rules: rules)
        }
    }
}
