import CNftables
import Linux

/// Writes the steps of a plan into a batch.
@safe struct TableWriter: ~Copyable {
    /// So many elements in one message: it stays below the 64 KiB that an attribute can take (`nla_len`), whatever their
    /// keys and the names of chains in their verdicts.
    static let elementsInMessage = 100
    /// NFT_NAME_MAXLEN without its zero.
    static let nameLimit = 255

    private let table: String
    private let mark: String
    private var batch: Batch
    /// What the batch's sets are told apart by.
    private var nextSetID: UInt32 = 1

    init(_ table: Table, _ batch: consuming Batch) {
        self.table = table.name
        mark = table.mark
        self.batch = batch
    }

    mutating func write(_ plan: TablePlan) throws(NftablesError) {
        for step in plan.steps { try write(step) }
    }

    consuming func finish() throws(NftablesError) -> Batch {
        try batch.finish()
        return batch
    }

    private mutating func write(_ step: TablePlan.Step) throws(NftablesError) {
        switch step {
        case .addTable: try write(NFT_MSG_NEWTABLE)
        case .deleteTable: try write(NFT_MSG_DELTABLE)
        case .flushRules:
            try unsafe batch.add(NFT_MSG_DELRULE, .table(table)) { [table] in
                unsafe mnl_attr_put_strz($0, UInt16(NFTA_RULE_TABLE.rawValue), table)
            }
        case .deleteElements(let set): try write(NFT_MSG_DELSETELEM, elementsOf: set)
        case .addElements(let set): try write(NFT_MSG_NEWSETELEM, elementsOf: set)
        case .deleteSet(let name):
            try unsafe batch.add(NFT_MSG_DELSET, .set(name)) { [table] in
                unsafe mnl_attr_put_strz($0, UInt16(NFTA_SET_TABLE.rawValue), table)
                unsafe mnl_attr_put_strz($0, UInt16(NFTA_SET_NAME.rawValue), name)
            }
        case .addSet(let set):
            try check(set.name, .set(set.name))
            try write(set, id: takeSetID(), origin: .set(set.name))
        case .deleteObject(let name, let type): try write(NFT_MSG_DELOBJ, object: name, type)
        case .addCounter(let name):
            try check(name, .counter(name))
            try write(NFT_MSG_NEWOBJ, object: name, TablePlan.counterType)
        case .deleteChain(let name): try write(NFT_MSG_DELCHAIN, Chain(name))
        case .addChain(let chain):
            try check(chain.name, .chain(chain.name))
            try write(NFT_MSG_NEWCHAIN, chain)
        case .addRule(let rule, let chain): try write(rule, chain)
        }
    }

    private func check(_ name: String, _ origin: NftablesError.Origin) throws(NftablesError) {
        guard (1...Self.nameLimit).contains(name.utf8.count), !name.utf8.contains(0) else {
            throw .unsuitable(origin, "a name has 1 to \(Self.nameLimit) bytes")
        }
    }

    private mutating func takeSetID() -> UInt32 {
        defer { nextSetID += 1 }
        return nextSetID
    }

    // MARK: The kinds of messages

    private mutating func write(_ type: nf_tables_msg_types) throws(NftablesError) {
        try check(table, .table(table))
        guard let object = unsafe nftnl_table_alloc() else { throw .unsuitable(.table(table), "no memory") }
        defer { unsafe nftnl_table_free(object) }
        _ = unsafe nftnl_table_set_str(object, UInt16(NFTNL_TABLE_NAME.rawValue), table)
        if type == NFT_MSG_NEWTABLE {
            unsafe nftnl_table_set_u32(object, UInt16(NFTNL_TABLE_FLAGS.rawValue), 0)
            if let comment = QuotedText.userData(comment: mark) {
                let (attribute, count) = (UInt16(NFTNL_TABLE_USERDATA.rawValue), UInt32(comment.count))
                guard unsafe nftnl_table_set_data(object, attribute, comment, count) == 0 else {
                    throw .unsuitable(.table(table), "no memory")
                }
            }
        }
        let flags = type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0
        try unsafe batch.add(type, flags: flags, .table(table)) { unsafe nftnl_table_nlmsg_build_payload($0, object) }
    }

    private mutating func write(
        _ message: nf_tables_msg_types, object name: String, _ type: UInt32
    ) throws(NftablesError) {
        guard let object = unsafe nftnl_obj_alloc() else { throw .unsuitable(.counter(name), "no memory") }
        defer { unsafe nftnl_obj_free(object) }
        unsafe nftnl_obj_set_str(object, UInt16(NFTNL_OBJ_TABLE), table)
        unsafe nftnl_obj_set_str(object, UInt16(NFTNL_OBJ_NAME), name)
        unsafe nftnl_obj_set_u32(object, UInt16(NFTNL_OBJ_TYPE), type)
        let flags = message == NFT_MSG_NEWOBJ ? NLM_F_CREATE : 0
        try unsafe batch.add(message, flags: flags, .counter(name)) { unsafe nftnl_obj_nlmsg_build_payload($0, object) }
    }

    private mutating func write(_ message: nf_tables_msg_types, _ chain: Chain) throws(NftablesError) {
        guard let object = unsafe nftnl_chain_alloc() else { throw .unsuitable(.chain(chain.name), "no memory") }
        defer { unsafe nftnl_chain_free(object) }
        _ = unsafe nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TABLE.rawValue), table)
        _ = unsafe nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_NAME.rawValue), chain.name)
        if let base = chain.base {
            _ = unsafe nftnl_chain_set_str(object, UInt16(NFTNL_CHAIN_TYPE.rawValue), base.kind.rawValue)
            unsafe nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), base.hook.rawValue)
            unsafe nftnl_chain_set_s32(object, UInt16(NFTNL_CHAIN_PRIO.rawValue), base.priority.rawValue)
            unsafe nftnl_chain_set_u32(object, UInt16(NFTNL_CHAIN_POLICY.rawValue), base.policy.rawValue)
        }
        let flags = message == NFT_MSG_NEWCHAIN ? NLM_F_CREATE : 0
        try unsafe batch.add(message, flags: flags, .chain(chain.name)) {
            unsafe nftnl_chain_nlmsg_build_payload($0, object)
        }
    }

    private mutating func write(_ rule: Rule, _ chain: String) throws(NftablesError) {
        let origin = NftablesError.Origin.rule(chain: chain, comment: rule.comment, text: rule.text)
        for name in rule.names { try check(name, origin) }
        let writer = RuleWriter(table: table, chain: chain, comment: rule.comment, firstSetID: nextSetID)
        guard var writer = consume writer else { throw .unsuitable(origin, "no memory") }
        for match in rule.matches { writer.write(match) }
        for statement in rule.statements { writer.write(statement) }
        if let problem = writer.problem { throw .unsuitable(origin, problem) }
        guard writer.expressionCount <= RuleWriter.expressionLimit else {
            throw .unsuitable(origin, "more than \(RuleWriter.expressionLimit) expressions")
        }
        for (set, id) in writer.sets {
            nextSetID = id + 1
            try write(set, id: id, origin: origin, isAnonymous: true)
            try write(NFT_MSG_NEWSETELEM, elementsOf: set, id: id, origin: origin)
        }
        try unsafe batch.add(NFT_MSG_NEWRULE, flags: NLM_F_CREATE | NLM_F_APPEND, origin) {
            unsafe writer.write(to: $0)
        }
    }

    // MARK: Sets

    private mutating func write(
        _ set: KernelSet, id: UInt32, origin: NftablesError.Origin, isAnonymous: Bool = false
    ) throws(NftablesError) {
        let object = try SetWriter(table: table, isAnonymous ? KernelSet.anonymousName : set.name, id: id, origin)
        object.fill(set, isAnonymous: isAnonymous)
        try unsafe batch.add(NFT_MSG_NEWSET, flags: NLM_F_CREATE, origin) { unsafe object.writeSet(to: $0) }
    }

    /// The elements of a named set, or of the one that the batch knows by `id`.
    private mutating func write(
        _ message: nf_tables_msg_types, elementsOf set: KernelSet, id: UInt32? = nil,
        origin: NftablesError.Origin? = nil
    ) throws(NftablesError) {
        let origin = origin ?? .set(set.name)
        // In their order: a range that ends where the next begins is then no overlap, and what is sent is always the same.
        let elements = set.elements.sorted { $0.low.lexicographicallyPrecedes($1.low) }
        let name = id == nil ? set.name : KernelSet.anonymousName
        let flags = message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0
        for start in stride(from: 0, to: elements.count, by: Self.elementsInMessage) {
            let object = try SetWriter(table: table, name, id: id, origin)
            for element in elements[start..<min(start + Self.elementsInMessage, elements.count)] {
                try object.add(element, of: set, origin)
            }
            try unsafe batch.add(message, flags: flags, origin) { unsafe object.writeElements(to: $0) }
        }
    }
}

extension Rule {
    /// In nft's words, without the comment.
    fileprivate var text: String {
        (matches.map(\.description) + statements.map(\.description)).joined(separator: " ")
    }

    /// The names of others that the rule asks the kernel for.
    fileprivate var names: [String] {
        let sets: [String] = matches.compactMap { if case .member(_, let set) = $0.test { set } else { nil } }
        let others: [String] = statements.compactMap {
            switch $0 {
            case .counter(let name): name
            case .verdict(let verdict): verdict.chain
            default: nil
            }
        }
        return sets + others
    }
}
