import CNftables
import Wire

extension RuleWriter {
    mutating func write(_ match: Match) {
        let isNegated = match.isNegated
        switch match.test {
        case .interface(let way, let pattern):
            meta(way == .in ? NFT_META_IIFNAME : NFT_META_OIFNAME)
            // A whole name is compared with its zeros, the beginning of one without.
            compare(
                pattern.isPrefix ? Array(pattern.name.utf8) : KeyPart.interface(pattern).bounds.low,
                isNegated: isNegated)
        case .family(let family):
            meta(NFT_META_NFPROTO)
            compare([Self.number(family)], isNegated: isNegated)
            if !isNegated { knownFamily = Self.number(family) }
        case .address(let end, let prefix): write(end, prefix, isNegated)
        case .addresses(let end, let set):
            if set.prefixes.count == 1 { return write(end, set.prefixes[0], isNegated) }
            need(set.family)
            load([Self.field(end, set.family)])
            lookup(SetDefinition("", set), isNegated)
        case .member(let fields, let set):
            fields.compactMap(\.family).forEach { need($0) }
            load(fields)
            lookup(set, isNegated: isNegated)
        case .transport(let transport):
            meta(NFT_META_L4PROTO)
            compare([transport.rawValue], isNegated: isNegated)
            if !isNegated { knownTransport = transport.rawValue }
        case .transports(let transports):
            if transports.count == 1 { return write(Match(.transport(transports[0]), isNegated: isNegated)) }
            meta(NFT_META_L4PROTO)
            let elements = transports.map { [KeyPart.transport($0)] }
            lookup(SetDefinition("", key: [.transport], hasIntervals: false, elements: Set(elements)), isNegated)
        case .ports(let transport, let end, let ports):
            if let transport { need(transport) }
            load([end == .source ? .sourcePort : .destinationPort])
            write(ports, isNegated)
        case .icmpTypes(let types): write(types, .v4, .icmp, isNegated)
        case .icmpV6Types(let types): write(types, .v6, .icmpV6, isNegated)
        case .tcpFlags(let flags, let mask):
            need(.tcp)
            payload(.transport, 13, 1)
            bitwise(mask: [mask.rawValue], xor: [0])
            compare([flags.rawValue], isNegated: isNegated)
        case .connectionState(let states): writeAny(of: states.rawValue, NFT_CT_STATE, isNegated)
        case .connectionStatus(let status): writeAny(of: status.rawValue, NFT_CT_STATUS, isNegated)
        case .mark(let value, let mask):
            meta(NFT_META_MARK)
            write(value, mask, isNegated)
        case .connectionMark(let value, let mask):
            connection(NFT_CT_MARK)
            write(value, mask, isNegated)
        case .reversePathMissing(let kind):
            let key = NFTA_FIB_F_SADDR.rawValue | NFTA_FIB_F_MARK.rawValue
            let interface = kind == .strict ? NFTA_FIB_F_IIF.rawValue : 0
            route(NFT_FIB_RESULT_OIF, key | interface | NFTA_FIB_F_PRESENT.rawValue)
            // One byte would do, but this is what nft compares.
            compare([isNegated ? 1 : 0, 0, 0, 0])
        case .localDestination:
            route(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR.rawValue)
            compare(Self.localAddressType.hostBytes, isNegated: isNegated)
        case .arrivalDestination:
            route(NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR.rawValue | NFTA_FIB_F_IIF.rawValue)
            compare(Self.localAddressType.hostBytes, isNegated: isNegated)
        }
    }

    /// RTN_LOCAL (linux/rtnetlink.h).
    private static let localAddressType: UInt32 = 2

    // MARK: What is asked for first

    mutating func need(_ family: IPAddress.Family) {
        if knownFamily != Self.number(family) { write(Match(.family(family))) }
    }

    mutating func need(_ transport: TransportProtocol) {
        if knownTransport != transport.rawValue { write(Match(.transport(transport))) }
    }

    /// NFPROTO_IPV4, NFPROTO_IPV6.
    static func number(_ family: IPAddress.Family) -> UInt8 { family == .v4 ? 2 : 10 }

    private static func field(_ end: Match.End, _ family: IPAddress.Family) -> Field {
        switch (end, family) {
        case (.source, .v4): .sourceV4
        case (.destination, .v4): .destinationV4
        case (.source, .v6): .sourceV6
        case (.destination, .v6): .destinationV6
        }
    }

    // MARK: Kinds of comparison

    private mutating func write(_ end: Match.End, _ prefix: Prefix, _ isNegated: Bool) {
        need(prefix.family)
        // All of a family, or with the negation none of it: then the comparison below fails for whatever comes.
        if prefix.length == 0, !isNegated { return }
        let address = prefix.address.bytes
        load([Self.field(end, prefix.family)])
        if prefix.length < prefix.family.bitWidth {
            bitwise(mask: prefix.mask, xor: Array(repeating: 0, count: address.count))
        }
        compare(address, isNegated: isNegated)
    }

    private mutating func write(_ ports: PortSet, _ isNegated: Bool) {
        guard ports.ranges.count == 1 else { return lookup(SetDefinition("", ports), isNegated) }
        let (low, high) = KeyPart.ports(ports.ranges[0]).bounds
        if low == high { compare(low, isNegated: isNegated) } else { range(low, high, isNegated: isNegated) }
    }

    private mutating func write(
        _ types: [UInt8], _ family: IPAddress.Family, _ transport: TransportProtocol, _ isNegated: Bool
    ) {
        need(family)
        need(transport)
        payload(.transport, 0, 1)
        if types.count == 1 { return compare(types, isNegated: isNegated) }
        let kind: KernelSet.ICMPType = family == .v4 ? .v4 : .v6
        add(anonymous: KernelSet(types, kind), isNegated)
    }

    private mutating func writeAny(of bits: UInt32, _ key: nft_ct_keys, _ isNegated: Bool) {
        connection(key)
        bitwise(mask: bits.hostBytes, xor: UInt32(0).hostBytes)
        compare(UInt32(0).hostBytes, isNegated: !isNegated)
    }

    private mutating func write(_ value: UInt32, _ mask: UInt32, _ isNegated: Bool) {
        if mask != .max { bitwise(mask: mask.hostBytes, xor: UInt32(0).hostBytes) }
        compare(value.hostBytes, isNegated: isNegated)
    }

    private mutating func route(_ result: nft_fib_result, _ flags: UInt32) {
        add("fib") {
            $0.set(NFTNL_EXPR_FIB_RESULT, result.rawValue)
            $0.set(NFTNL_EXPR_FIB_FLAGS, flags)
            $0.set(NFTNL_EXPR_FIB_DREG, Self.register)
        }
    }

    /// A set without a name.
    mutating func lookup(_ set: SetDefinition, _ isNegated: Bool) {
        do throws(NftablesError) {
            add(anonymous: try KernelSet(set), isNegated)
        } catch .unsuitable(_, let reason) {
            fail(reason)
        } catch {
            fail("\(error)")
        }
    }

    private mutating func add(anonymous set: KernelSet, _ isNegated: Bool) {
        let id = anonymousSet(set)
        lookup(KernelSet.anonymousName, id: id, isNegated: isNegated)
    }
}

extension Field {
    fileprivate var family: IPAddress.Family? {
        switch self {
        case .sourceV4, .destinationV4: .v4
        case .sourceV6, .destinationV6: .v6
        default: nil
        }
    }
}
