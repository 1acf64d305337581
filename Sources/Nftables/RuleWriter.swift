import CNftables

/// A rule while its expressions are put together, as nft would: what a match needs to know first (family, protocol) is
/// asked for once.
@safe struct RuleWriter: ~Copyable {
    /// NFT_RULE_MAXEXPRS.
    static let expressionLimit = 128

    /// The register that single values go through (NFT_REG_1), and the ones of 32 bits for keys of several fields.
    static let register: UInt32 = 1
    private static let firstWord: UInt32 = 8

    private let rule: OpaquePointer
    private(set) var expressionCount = 0
    /// Why the rule is not what it was to be: without the missing part it might match more. nil when nothing is missing.
    private(set) var problem: String?
    var knownFamily: UInt8?
    var knownTransport: UInt8?
    /// Sets without a name that the rule asks for: they go before it in the batch.
    var sets: [(set: KernelSet, id: UInt32)] = []
    private var nextSetID: UInt32

    /// Sets without a name are numbered from `firstSetID` on.
    init?(table: String, chain: String, comment: String, firstSetID: UInt32) {
        guard let rule = unsafe nftnl_rule_alloc() else { return nil }
        unsafe self.rule = unsafe rule
        nextSetID = firstSetID
        unsafe nftnl_rule_set_u32(rule, UInt16(NFTNL_RULE_FAMILY.rawValue), UInt32(NFPROTO_INET))
        _ = unsafe nftnl_rule_set_str(rule, UInt16(NFTNL_RULE_TABLE.rawValue), table)
        _ = unsafe nftnl_rule_set_str(rule, UInt16(NFTNL_RULE_CHAIN.rawValue), chain)
        guard let bytes = QuotedText.userData(comment: comment) else { return }
        _ = unsafe nftnl_rule_set_data(rule, UInt16(NFTNL_RULE_USERDATA.rawValue), bytes, UInt32(bytes.count))
    }

    deinit { unsafe nftnl_rule_free(rule) }

    func write(to message: UnsafeMutablePointer<nlmsghdr>) { unsafe nftnl_rule_nlmsg_build_payload(message, rule) }

    mutating func add(_ name: String, _ fill: (Expression) -> Void = { _ in }) {
        expressionCount += 1
        // The rest would be refused anyway, and is not to pile up.
        guard expressionCount <= Self.expressionLimit else { return }
        guard let expression = unsafe nftnl_expr_alloc(name) else {
            problem = "no memory"
            return
        }
        unsafe fill(Expression(expression))
        unsafe nftnl_rule_add_expr(rule, expression)
    }

    /// A name for a set that exists in this rule alone, whose elements never change.
    mutating func anonymousSet(_ set: KernelSet) -> UInt32 {
        defer { nextSetID += 1 }
        sets.append((set, nextSetID))
        return nextSetID
    }

    /// The rule cannot be written, for this reason.
    mutating func fail(_ reason: String) { problem = problem ?? reason }

    /// One expression, valid while it is being filled.
    @safe struct Expression {
        private let expression: OpaquePointer

        init(_ expression: OpaquePointer) { unsafe self.expression = unsafe expression }

        func set(_ attribute: Int, _ value: UInt32) { unsafe nftnl_expr_set_u32(expression, UInt16(attribute), value) }
        func set(_ attribute: Int, long value: UInt64) {
            unsafe nftnl_expr_set_u64(expression, UInt16(attribute), value)
        }
        func set(_ attribute: Int, byte value: UInt8) { unsafe nftnl_expr_set_u8(expression, UInt16(attribute), value) }
        func set(_ attribute: Int, _ text: String) {
            _ = unsafe nftnl_expr_set_str(expression, UInt16(attribute), text)
        }
        func set(_ attribute: Int, _ bytes: [UInt8]) {
            _ = unsafe nftnl_expr_set(expression, UInt16(attribute), bytes, UInt32(bytes.count))
        }
    }
}

// The expressions, each with the little that we ask of it.
extension RuleWriter {
    enum Header: UInt32 { case network = 1, transport = 2 }

    mutating func meta(_ key: nft_meta_keys, to register: UInt32 = Self.register) {
        add("meta") {
            $0.set(NFTNL_EXPR_META_KEY, key.rawValue)
            $0.set(NFTNL_EXPR_META_DREG, register)
        }
    }

    mutating func connection(_ key: nft_ct_keys) {
        add("ct") {
            $0.set(NFTNL_EXPR_CT_KEY, key.rawValue)
            $0.set(NFTNL_EXPR_CT_DREG, Self.register)
        }
    }

    mutating func payload(_ header: Header, _ offset: UInt32, _ length: Int, to register: UInt32 = Self.register) {
        add("payload") {
            $0.set(NFTNL_EXPR_PAYLOAD_BASE, header.rawValue)
            $0.set(NFTNL_EXPR_PAYLOAD_OFFSET, offset)
            $0.set(NFTNL_EXPR_PAYLOAD_LEN, UInt32(length))
            $0.set(NFTNL_EXPR_PAYLOAD_DREG, register)
        }
    }

    mutating func compare(_ bytes: [UInt8], isNegated: Bool = false) {
        add("cmp") {
            $0.set(NFTNL_EXPR_CMP_SREG, Self.register)
            $0.set(NFTNL_EXPR_CMP_OP, (isNegated ? NFT_CMP_NEQ : NFT_CMP_EQ).rawValue)
            $0.set(NFTNL_EXPR_CMP_DATA, bytes)
        }
    }

    mutating func range(_ low: [UInt8], _ high: [UInt8], isNegated: Bool) {
        add("range") {
            $0.set(NFTNL_EXPR_RANGE_SREG, Self.register)
            $0.set(NFTNL_EXPR_RANGE_OP, (isNegated ? NFT_RANGE_NEQ : NFT_RANGE_EQ).rawValue)
            $0.set(NFTNL_EXPR_RANGE_FROM_DATA, low)
            $0.set(NFTNL_EXPR_RANGE_TO_DATA, high)
        }
    }

    /// `register = (register & mask) ^ xor`.
    mutating func bitwise(mask: [UInt8], xor: [UInt8]) {
        add("bitwise") {
            $0.set(NFTNL_EXPR_BITWISE_SREG, Self.register)
            $0.set(NFTNL_EXPR_BITWISE_DREG, Self.register)
            $0.set(NFTNL_EXPR_BITWISE_LEN, UInt32(mask.count))
            $0.set(NFTNL_EXPR_BITWISE_MASK, mask)
            $0.set(NFTNL_EXPR_BITWISE_XOR, xor)
        }
    }

    mutating func lookup(_ set: String, id: UInt32? = nil, isNegated: Bool = false) {
        add("lookup") {
            $0.set(NFTNL_EXPR_LOOKUP_SREG, Self.register)
            $0.set(NFTNL_EXPR_LOOKUP_SET, set)
            if let id { $0.set(NFTNL_EXPR_LOOKUP_SET_ID, id) }
            if isNegated { $0.set(NFTNL_EXPR_LOOKUP_FLAGS, UInt32(NFT_LOOKUP_F_INV.rawValue)) }
        }
    }

    mutating func immediate(_ bytes: [UInt8], to register: UInt32 = Self.register) {
        add("immediate") {
            $0.set(NFTNL_EXPR_IMM_DREG, register)
            $0.set(NFTNL_EXPR_IMM_DATA, bytes)
        }
    }

    /// The fields beside each other, as the keys of a set have them.
    mutating func load(_ fields: [Field]) {
        var word = Self.firstWord
        for field in fields {
            // One field alone goes where every other value does.
            load(field, to: word == Self.firstWord ? Self.register : word)
            word += UInt32(field.type.paddedLength / 4)
        }
    }

    private mutating func load(_ field: Field, to register: UInt32) {
        switch field {
        case .inputInterface: meta(NFT_META_IIFNAME, to: register)
        case .outputInterface: meta(NFT_META_OIFNAME, to: register)
        case .sourceV4: payload(.network, 12, 4, to: register)
        case .destinationV4: payload(.network, 16, 4, to: register)
        case .sourceV6: payload(.network, 8, 16, to: register)
        case .destinationV6: payload(.network, 24, 16, to: register)
        case .transport: meta(NFT_META_L4PROTO, to: register)
        case .sourcePort: payload(.transport, 0, 2, to: register)
        case .destinationPort: payload(.transport, 2, 2, to: register)
        case .mark: meta(NFT_META_MARK, to: register)
        }
    }
}
