import CNftables
import Glibc
import Linux

/// The conversation with nf_tables, in the network namespace of the thread that opened it.
package struct NftablesSocket: ~Copyable {
    /// How often a change by others in between is answered by reading and planning anew. Beside a process that makes one
    /// transaction after the other without a pause one attempt in ten comes through, on a
    /// busy machine one in a hundred; nobody else comes near that.
    static let attempts = 4096
    /// Room for some thousand refusals. That some of them get lost does no harm.
    private static let receiveBuffer = 4 << 20

    private var socket: NetlinkSocket

    package init() throws(NftablesError) { self = try Self.open() }

    private init(_ socket: consuming NetlinkSocket) { self.socket = socket }

    private static func open() throws(NftablesError) -> NftablesSocket {
        var opened: NftablesSocket
        do throws(Errno) {
            opened = NftablesSocket(try NetlinkSocket(NETLINK_NETFILTER))
        } catch {
            throw NftablesError(opening: error)
        }
        // Tells at once whether there is an nf_tables, and whether we may.
        _ = try opened.generation()
        return opened
    }

    // MARK: Reading

    /// The number of changes to nf_tables of this namespace so far, by whomever.
    package mutating func generation() throws(NftablesError) -> UInt32 {
        var generation: UInt32?
        try ask(NFT_MSG_GETGEN) { generation = TableReader.generation(in: $0) ?? generation }
        guard let generation else { throw .unavailable(Errno(EOPNOTSUPP)) }
        return generation
    }

    /// All of a table at one moment, but for its rules where they are not asked for; nothing of it where there is none.
    package mutating func read(_ table: Table, withRules: Bool = true) throws(NftablesError) -> TableContents {
        try repeating { socket throws(NftablesError) in try socket.readOnce(table, withRules) }
    }

    /// All of a table as it is at that generation; nil when somebody has changed something since.
    package mutating func read(_ table: Table, at generation: UInt32) throws(NftablesError) -> TableContents? {
        do throws(NftablesError) {
            let contents = try readOnce(table, true)
            return contents.generation == generation ? contents : nil
        } catch {
            guard error == .generationChanged else { throw error }
            return nil
        }
    }

    private mutating func readOnce(_ table: Table, _ withRules: Bool) throws(NftablesError) -> TableContents {
        let before = try generation()
        let contents: TableContents
        do throws(NftablesError) {
            contents = try self.contents(of: table.name, generation: before, withRules: withRules)
        } catch {
            // What was listed a moment ago is gone? Otherwise it is what it says.
            if try generation() == before { throw error }
            throw .generationChanged
        }
        guard try generation() == before else { throw .generationChanged }
        return contents
    }

    /// Tries again while others change something in between.
    private mutating func repeating<Result>(
        _ step: (inout NftablesSocket) throws(NftablesError) -> Result
    ) throws(NftablesError) -> Result {
        for _ in 0..<Self.attempts {
            do throws(NftablesError) {
                return try step(&self)
            } catch {
                guard error == .generationChanged else { throw error }
            }
        }
        throw .generationChanged
    }

    /// The named counters of a table.
    package mutating func counters(of table: Table) throws(NftablesError) -> [String: CounterValue] {
        try repeating { socket throws(NftablesError) in
            var contents = TableContents()
            try socket.dump(NFT_MSG_GETOBJ, [(Int(NFTA_OBJ_TABLE.rawValue), table.name)]) {
                TableReader.read($0, of: table.name, into: &contents)
            }
            return contents.counters
        }
    }

    private mutating func contents(
        of table: String, generation: UInt32, withRules: Bool
    ) throws(NftablesError) -> TableContents {
        var contents = TableContents(generation: generation)
        let kinds: [(nf_tables_msg_types, Int?)] = [
            (NFT_MSG_GETTABLE, nil), (NFT_MSG_GETCHAIN, nil), (NFT_MSG_GETSET, Int(NFTA_SET_TABLE.rawValue)),
            (NFT_MSG_GETOBJ, Int(NFTA_OBJ_TABLE.rawValue)),
        ]
        for (type, attribute) in kinds {
            // Without a table there is nothing else to ask for.
            if type != NFT_MSG_GETTABLE, !contents.exists { break }
            try dump(type, attribute.map { [($0, table)] } ?? []) {
                TableReader.read($0, of: table, into: &contents)
            }
        }
        // One chain after the other: for each buffer that it fills the kernel walks all rules that were asked for.
        for chain in withRules ? contents.chains.map(\.name) : [] {
            let attributes = [(Int(NFTA_RULE_TABLE.rawValue), table), (Int(NFTA_RULE_CHAIN.rawValue), chain)]
            try dump(NFT_MSG_GETRULE, attributes) { TableReader.read($0, of: table, into: &contents) }
        }
        for index in contents.sets.indices where !contents.sets[index].isForeign {
            var set = contents.sets[index]
            var marks: [KernelSet.Mark] = []
            let attributes = [
                (Int(NFTA_SET_ELEM_LIST_TABLE.rawValue), table), (Int(NFTA_SET_ELEM_LIST_SET.rawValue), set.name),
            ]
            try dump(NFT_MSG_GETSETELEM, attributes) {
                TableReader.readElements($0, of: &set, table: table, marks: &marks)
            }
            if set.hasEnds { set.elements = KernelSet.ranges(marks) }
            contents.sets[index] = set
        }
        return contents
    }

    private mutating func dump(
        _ type: nf_tables_msg_types, _ attributes: [(Int, String)], _ each: (NetlinkMessage) -> Void
    ) throws(NftablesError) {
        var isInterrupted = false
        try ask(type, flags: NLM_F_DUMP, attributes) {
            if $0.flags & NLM_F_DUMP_INTR != 0 { isInterrupted = true }
            each($0)
        }
        if isInterrupted { throw .generationChanged }
    }

    private mutating func ask(
        _ type: nf_tables_msg_types, flags: CInt = 0, _ attributes: [(Int, String)] = [],
        _ each: (NetlinkMessage) -> Void
    ) throws(NftablesError) {
        var request = NetlinkRequest(TableReader.number(type), flags: flags)
        request.put(header: nfgenmsg(nfgen_family: UInt8(NFPROTO_INET), version: UInt8(NFNETLINK_V0), res_id: 0))
        for (attribute, text) in attributes { request.put(attribute, text) }
        do throws(NetlinkError) {
            try socket.exchange(request, each: each)
        } catch {
            throw NftablesError(asking: error)
        }
    }

    // MARK: Changing

    /// Makes the kernel's table equal to the ruleset in one transaction, and nothing else: no other table is touched, what
    /// is equal keeps its state, and packets see either the old rules or the new ones. When it throws, nothing has changed.
    ///
    /// A table that is not ours is not touched either (`owned`, `foreign`).
    ///
    /// - Returns: the generation that this has made.
    @discardableResult
    package mutating func apply(_ ruleset: Ruleset) throws(NftablesError) -> UInt32 {
        try change(ruleset.table) { contents throws(NftablesError) in try TablePlan(from: contents, to: ruleset) }
    }

    /// Has the kernel do all that `apply` would do, and take it back before anybody sees it. Throws what `apply` would throw.
    package mutating func rehearse(_ ruleset: Ruleset) throws(NftablesError) {
        _ = try change(ruleset.table, isRehearsal: true) { contents throws(NftablesError) in
            try TablePlan(from: contents, to: ruleset)
        }
    }

    /// Deletes a table of ours with all that is in it. That there is none is fine.
    package mutating func remove(_ table: Table) throws(NftablesError) {
        _ = try change(table) { contents in contents.exists ? TablePlan(deleting: table) : nil }
    }

    /// As `remove`, and takes it back.
    package mutating func rehearseRemoval(of table: Table) throws(NftablesError) {
        _ = try change(table, isRehearsal: true) { contents in contents.exists ? TablePlan(deleting: table) : nil }
    }

    /// Carries out the plan for what the table holds; where the plan is nil there is nothing to do. The generation afterwards.
    ///
    /// Others' changes come in between as a rule in tables of their own. What was written for ours then still holds, and is
    /// not written again.
    private mutating func change(
        _ table: Table, isRehearsal: Bool = false,
        _ plan: (TableContents) throws(NftablesError) -> TablePlan?
    ) throws(NftablesError) -> UInt32 {
        var contents = try repeating { socket throws(NftablesError) in try socket.readOnce(table, false) }
        var attempts = 0
        while true {
            if let objection = contents.objection(to: table) { throw objection }
            guard let steps = try plan(contents) else { return contents.generation }
            var batch = try write(steps, table)
            let written = contents
            while contents.isUnchanged(since: written) {
                do throws(NftablesError) {
                    return try send(&batch, table, over: contents.generation, isRehearsal: isRehearsal)
                } catch {
                    attempts += 1
                    guard error == .generationChanged, attempts < Self.attempts else { throw error }
                }
                // All rules come anew, whatever they are: reading them would only give others time to change something.
                contents = try repeating { socket throws(NftablesError) in try socket.readOnce(table, false) }
            }
        }
    }

    mutating func write(_ plan: TablePlan, _ table: Table) throws(NftablesError) -> Batch {
        var writer = TableWriter(table, try Batch(first: socket.sequences(0)))
        try writer.write(plan)
        let batch = try writer.finish()
        // Its numbers are its own from now on, however often it is sent: no answer is left when it is sent again.
        _ = socket.sequences(batch.messageCount)
        return batch
    }

    /// Throws `generationChanged` when `old` is not the generation any more.
    mutating func send(
        _ batch: inout Batch, _ table: Table, over old: UInt32, isRehearsal: Bool = false
    ) throws(NftablesError) -> UInt32 {
        let bytes = unsafe batch.bytes(for: old, isRehearsal: isRehearsal)
        // The kernel takes a message of at most the whole buffer, and counts some of its own with it.
        socket.setBuffers(send: bytes.count + Batch.messageLimit, receive: Self.receiveBuffer)
        var (isAcknowledged, isComplete, refusals) = (false, false, [NftablesError.Refusal]())
        do throws(Errno) {
            try unsafe socket.send(bytes)
            // The kernel has done everything, and queued what it has to say, before the send returns.
            isComplete = try socket.receivePending { message in
                guard message.type == NLMSG_ERROR, let origin = batch.origin(of: message.sequence) else {
                    return
                }
                guard let error = message.error else {
                    isAcknowledged = true
                    return
                }
                if refusals.last?.origin != origin, refusals.count < NftablesError.refusalLimit {
                    refusals.append(NftablesError.Refusal(origin, error))
                }
            }
        } catch {
            throw .failed(NetlinkError(error))
        }
        if !refusals.isEmpty { throw NftablesError(refusals, table: table.name) }
        // Only where answers were lost can there be doubt, and the generation resolves it.
        if !isAcknowledged {
            let now = try generation()
            if isComplete || now == old { throw .failed(NetlinkError(Errno(ENOBUFS))) }
        }
        return isRehearsal ? old : Self.generation(after: old)
    }

    /// What a transaction makes of a generation (`nf_tables_commit`): the next one, and never 0.
    private static func generation(after old: UInt32) -> UInt32 { old == .max ? 1 : old + 1 }
}
