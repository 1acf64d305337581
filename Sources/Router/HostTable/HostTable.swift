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
        /// The table as it was made; nil when others were so quick that this is not known.
        var made: TableContents?
        var listing: [ListedRule] = []
        /// Whether the table was there before us, left by a router of this name that has not come to its end.
        var isInherited = false
    }

    private let table: Table
    private let state = Guarded(State())

    init(router: String) { table = Table(router: router) }

    enum Change: Sendable {
        case none
        /// Other rules than before.
        case rules
        /// The same rules, which somebody had changed or deleted in the kernel.
        case repair
    }

    /// What the stages of a router want: the whole table.
    struct Proposal: Sendable {
        /// nil where there are no such stages, and so no table.
        fileprivate let ruleset: Ruleset?
        fileprivate let listing: [ListedRule]

        init(_ context: FileContext) {
            let stages = context.stages.compactMap { $0.options as? any HostOptions }
            let intents = stages.map { $0.intent(in: context) }
            ruleset = stages.isEmpty ? nil : Ruleset(router: context.router, intents)
            listing = intents.flatMap(\.listing)
        }
    }

    /// Throws what `apply` would throw, and changes nothing.
    func rehearse(_ proposal: Proposal) throws(NftablesError) {
        try state.withLock { state throws(NftablesError) in
            if proposal.ruleset == nil, state.applied == nil { return }
            var socket = try Self.socket(&state)
            if let ruleset = proposal.ruleset {
                let isSame = ruleset == state.applied
                let isUntouched = isSame ? try Self.isUntouched(state.made, table, &socket) : false
                if isUntouched != true { try socket.rehearse(ruleset) }
            } else {
                try socket.rehearseRemoval(of: table)
            }
            state.socket = consume socket
        }
    }

    /// Throws what stands in the way of any change, as far as it shows before there is one; changes nothing.
    func checkAccess() throws(NftablesError) {
        try state.withLock { state throws(NftablesError) in
            guard let ruleset = state.applied else { return }
            var socket = try Self.socket(&state)
            if try Self.isUntouched(state.made, table, &socket) != true { try socket.rehearse(ruleset) }
            state.socket = consume socket
        }
    }

    /// Makes the table what is proposed. Packets see either the old rules or the new ones; when it throws, the old ones.
    ///
    /// Where the same rules are wanted as before, nothing is done; with `verifying` only after a look at whether the kernel
    /// still has them.
    @discardableResult
    func apply(_ proposal: Proposal, verifying: Bool = false) throws(NftablesError) -> Change {
        try state.withLock { state throws(NftablesError) -> Change in
            guard let ruleset = proposal.ruleset else { return try Self.remove(table, &state) ? .rules : .none }
            let isSame = ruleset == state.applied
            if isSame, !verifying { return .none }
            var socket = try Self.socket(&state)
            let isUntouched = isSame ? try Self.isUntouched(state.made, table, &socket) : false
            if isUntouched == true {
                state.socket = consume socket
                return .none
            }
            if state.applied == nil { state.isInherited = try socket.read(table, withRules: false).exists }
            let generation = try socket.apply(ruleset)
            state.made = try? socket.read(table, at: generation)
            state.socket = consume socket
            state.applied = ruleset
            state.listing = proposal.listing
            return isSame ? (isUntouched == false ? .repair : .none) : .rules
        }
    }

    /// Whether the table is as it was made; nil where that is not known. Others change their tables all the time: only where
    /// something has changed the table itself is looked at.
    private static func isUntouched(
        _ made: TableContents?, _ table: Table, _ socket: inout NftablesSocket
    ) throws(NftablesError) -> Bool? {
        guard let made else { return nil }
        if try socket.generation() == made.generation { return true }
        return try socket.read(table).isUnchanged(since: made)
    }

    /// A router without host stages takes away what an earlier one of its name has left. Where there is no nftables, there
    /// is nothing to take away.
    func clear() throws(NftablesError) {
        do throws(NftablesError) {
            var socket = try NftablesSocket()
            try socket.remove(table)
        } catch .unavailable {}
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
        (state.applied, state.made) = (nil, nil)
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
            // Without a counter there may still be a table.
            let isThere = counters.isEmpty ? try socket.read(table, withRules: false).exists : true
            guard isThere else { throw .missing(table: table.name) }
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
