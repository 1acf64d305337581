import CNftables
import Wire

extension RuleWriter {
    mutating func write(_ statement: Statement) {
        switch statement {
        case .counter(let name):
            add("objref") {
                $0.set(NFTNL_EXPR_OBJREF_IMM_TYPE, TablePlan.counterType)
                $0.set(NFTNL_EXPR_OBJREF_IMM_NAME, name)
            }
        case .log(let log): write(log)
        case .verdict(let verdict):
            add("immediate") {
                $0.set(NFTNL_EXPR_IMM_DREG, UInt32(NFT_REG_VERDICT.rawValue))
                $0.set(NFTNL_EXPR_IMM_VERDICT, UInt32(bitPattern: verdict.code))
                if let chain = verdict.chain { $0.set(NFTNL_EXPR_IMM_CHAIN, chain) }
            }
        case .reject(.tcpReset):
            need(.tcp)
            reject(NFT_REJECT_TCP_RST, 0)
        case .reject(.unreachable(let kind)): reject(NFT_REJECT_ICMPX_UNREACH, kind.rawValue)
        case .masquerade(let options):
            add("masq") { if !options.isEmpty { $0.set(NFTNL_EXPR_MASQ_FLAGS, options.rawValue) } }
        case .sourceNAT(let target): write(target, NFT_NAT_SNAT)
        case .destinationNAT(let target): write(target, NFT_NAT_DNAT)
        case .redirect(let port):
            if let port { immediate(port.networkBytes) }
            add("redir") {
                guard port != nil else { return }
                $0.set(NFTNL_EXPR_REDIR_REG_PROTO_MIN, Self.register)
                $0.set(NFTNL_EXPR_REDIR_FLAGS, Self.portsGiven)
            }
        case .clampMSS: clampMSS()
        case .setMark(let value, let mask):
            replace(value, mask) { $0.meta(NFT_META_MARK) }
            set(mark: "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK.rawValue, NFTNL_EXPR_META_SREG)
        case .setConnectionMark(let value, let mask):
            replace(value, mask) { $0.connection(NFT_CT_MARK) }
            set(mark: "ct", NFTNL_EXPR_CT_KEY, NFT_CT_MARK.rawValue, NFTNL_EXPR_CT_SREG)
        case .restoreMark(let mask):
            connection(NFT_CT_MARK)
            if mask != .max { bitwise(mask: mask.hostBytes, xor: UInt32(0).hostBytes) }
            set(mark: "meta", NFTNL_EXPR_META_KEY, NFT_META_MARK.rawValue, NFTNL_EXPR_META_SREG)
        case .saveMark(let mask):
            meta(NFT_META_MARK)
            if mask != .max { bitwise(mask: mask.hostBytes, xor: UInt32(0).hostBytes) }
            set(mark: "ct", NFTNL_EXPR_CT_KEY, NFT_CT_MARK.rawValue, NFTNL_EXPR_CT_SREG)
        case .doNotTrack: add("notrack")
        }
    }

    /// NF_NAT_RANGE_PROTO_SPECIFIED, NF_NAT_RANGE_NETMAP (linux/netfilter/nf_nat.h).
    private static let portsGiven: UInt32 = 1 << 1
    private static let oneToOne: UInt32 = 1 << 6

    private mutating func write(_ log: Log) {
        if let limit = log.limit {
            add("limit") {
                $0.set(NFTNL_EXPR_LIMIT_RATE, long: limit.count)
                $0.set(NFTNL_EXPR_LIMIT_UNIT, long: limit.unit.rawValue)
                $0.set(NFTNL_EXPR_LIMIT_BURST, limit.burst)
                $0.set(NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS.rawValue)
                $0.set(NFTNL_EXPR_LIMIT_FLAGS, 0)
            }
        }
        let prefix = QuotedText(log.prefix, limit: Log.prefixLimit).text
        add("log") { if !prefix.isEmpty { $0.set(NFTNL_EXPR_LOG_PREFIX, prefix) } }
    }

    private mutating func reject(_ type: nft_reject_types, _ code: UInt8) {
        add("reject") {
            $0.set(NFTNL_EXPR_REJECT_TYPE, type.rawValue)
            $0.set(NFTNL_EXPR_REJECT_CODE, byte: code)
        }
    }

    private mutating func write(_ target: NATTarget, _ type: nft_nat_types) {
        // Registers 1 and 2 for addresses, 3 and 4 for ports.
        let (low, high): ([UInt8], [UInt8])
        var flags = target.options.rawValue
        switch target.addresses {
        case .range(let first, let last): (low, high) = (first.bytes, last.bytes)
        case .prefix(let prefix):
            (low, high) = KeyPart.prefix(prefix).bounds
            flags |= Self.oneToOne
        }
        let hasRange = low != high || flags & Self.oneToOne != 0
        immediate(low, to: 1)
        if hasRange { immediate(high, to: 2) }
        if let ports = target.ports {
            flags |= Self.portsGiven
            immediate(ports.lowerBound.networkBytes, to: 3)
            if ports.count > 1 { immediate(ports.upperBound.networkBytes, to: 4) }
        }
        add("nat") {
            $0.set(NFTNL_EXPR_NAT_TYPE, type.rawValue)
            $0.set(NFTNL_EXPR_NAT_FAMILY, UInt32(Self.number(target.family)))
            $0.set(NFTNL_EXPR_NAT_REG_ADDR_MIN, 1)
            if hasRange { $0.set(NFTNL_EXPR_NAT_REG_ADDR_MAX, 2) }
            if let ports = target.ports {
                $0.set(NFTNL_EXPR_NAT_REG_PROTO_MIN, 3)
                if ports.count > 1 { $0.set(NFTNL_EXPR_NAT_REG_PROTO_MAX, 4) }
            }
            if flags != 0 { $0.set(NFTNL_EXPR_NAT_FLAGS, flags) }
        }
    }

    /// The route's MTU without headers, in network order, into TCP's option 2 where it is smaller.
    private mutating func clampMSS() {
        add("rt") {
            $0.set(NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS.rawValue)
            $0.set(NFTNL_EXPR_RT_DREG, Self.register)
        }
        add("byteorder") {
            $0.set(NFTNL_EXPR_BYTEORDER_SREG, Self.register)
            $0.set(NFTNL_EXPR_BYTEORDER_DREG, Self.register)
            $0.set(NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON.rawValue)
            $0.set(NFTNL_EXPR_BYTEORDER_LEN, 2)
            $0.set(NFTNL_EXPR_BYTEORDER_SIZE, 2)
        }
        add("exthdr") {
            $0.set(NFTNL_EXPR_EXTHDR_TYPE, byte: 2)
            $0.set(NFTNL_EXPR_EXTHDR_OFFSET, 2)
            $0.set(NFTNL_EXPR_EXTHDR_LEN, 2)
            $0.set(NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT.rawValue)
            $0.set(NFTNL_EXPR_EXTHDR_SREG, Self.register)
        }
    }

    /// Leaves the mark with the masked bits replaced in the register.
    private mutating func replace(_ value: UInt32, _ mask: UInt32, _ load: (inout RuleWriter) -> Void) {
        guard mask != .max else { return immediate(value.hostBytes) }
        load(&self)
        bitwise(mask: (~mask).hostBytes, xor: (value & mask).hostBytes)
    }

    private mutating func set(mark expression: String, _ keyAttribute: Int, _ key: UInt32, _ registerAttribute: Int) {
        add(expression) {
            $0.set(keyAttribute, key)
            $0.set(registerAttribute, Self.register)
        }
    }
}

extension Verdict {
    /// NF_DROP, NF_ACCEPT, and `enum nft_verdicts`.
    var code: Int32 {
        switch self {
        case .drop: 0
        case .accept: 1
        case .continue: -1
        case .jump: -3
        case .goto: -4
        case .return: -5
        }
    }
}
