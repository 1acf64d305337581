import Wire

extension Match: CustomStringConvertible {
    /// In nft's syntax.
    package var description: String {
        switch test {
        case .interface(let way, let pattern):
            compare(way == .in ? "iifname" : "oifname", "\"\(pattern)\"")
        case .family(let family):
            compare("meta nfproto", family == .v4 ? "ipv4" : "ipv6")
        case .address(let end, let prefix):
            compare(Self.address(end, prefix.family), prefix.elementText)
        case .addresses(let end, let set):
            compare(Self.address(end, set.family), alternatives(set.prefixes.map(\.elementText)))
        case .member(let fields, let set):
            compare(fields.text, "@\(set)")
        case .transport(let transport):
            compare("meta l4proto", transport.description)
        case .transports(let transports):
            compare("meta l4proto", alternatives(transports.map(\.description)))
        case .ports(let transport, let end, let ports):
            compare(
                (transport?.headerText ?? "th") + (end == .source ? " sport" : " dport"),
                alternatives(ports.ranges.map { KeyPart.ports($0).description }))
        case .icmpTypes(let types):
            compare("icmp type", alternatives(types.map { ICMPTypeName.v4[$0] ?? String($0) }))
        case .icmpV6Types(let types):
            compare("icmpv6 type", alternatives(types.map { ICMPTypeName.v6[$0] ?? String($0) }))
        case .tcpFlags(let flags, let mask):
            flags.isEmpty
                ? "tcp flags & (\(mask.names.joined(separator: " | "))) \(isNegated ? "!=" : "==") 0x0"
                : compare("tcp flags", "\(flags.names.joined(separator: ",")) / \(mask.names.joined(separator: ","))")
        case .connectionState(let states):
            "ct state \(isNegated ? "! " : "")\(states.names.joined(separator: ","))"
        case .connectionStatus(let status):
            "ct status \(isNegated ? "! " : "")\(status.names.joined(separator: ","))"
        case .mark(let value, let mask):
            masked("meta mark", value, mask)
        case .connectionMark(let value, let mask):
            masked("ct mark", value, mask)
        case .reversePathMissing(let kind):
            "fib saddr . mark\(kind == .strict ? " . iif" : "") oif \(isNegated ? "exists" : "missing")"
        case .localDestination:
            compare("fib daddr type", "local")
        case .arrivalDestination:
            compare("fib daddr . iif type", "local")
        }
    }

    private func compare(_ what: String, _ value: String) -> String { "\(what) \(isNegated ? "!= " : "")\(value)" }

    private func masked(_ what: String, _ value: UInt32, _ mask: UInt32) -> String {
        guard mask != .max else { return compare(what, hexadecimal(value)) }
        return "\(what) & \(hexadecimal(mask)) \(isNegated ? "!=" : "==") \(hexadecimal(value))"
    }

    private static func address(_ end: End, _ family: IPAddress.Family) -> String {
        (family == .v4 ? "ip" : "ip6") + (end == .source ? " saddr" : " daddr")
    }
}

extension Field: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inputInterface: "iifname"
        case .outputInterface: "oifname"
        case .sourceV4: "ip saddr"
        case .destinationV4: "ip daddr"
        case .sourceV6: "ip6 saddr"
        case .destinationV6: "ip6 daddr"
        case .transport: "meta l4proto"
        case .sourcePort: "th sport"
        case .destinationPort: "th dport"
        case .mark: "meta mark"
        }
    }
}

extension [Field] {
    var text: String { map(\.description).joined(separator: " . ") }
}

extension TransportProtocol: CustomStringConvertible {
    /// The names that nft knows without /etc/protocols, and numbers.
    package var description: String {
        switch self {
        case .icmp: "icmp"
        case .tcp: "tcp"
        case .udp: "udp"
        case .esp: "esp"
        case .icmpV6: "ipv6-icmp"
        case .sctp: "sctp"
        default: String(rawValue)
        }
    }

    /// What the header with the ports is called; for others than these three it takes two matches.
    var headerText: String {
        switch self {
        case .tcp, .udp, .sctp: description
        default: "meta l4proto \(self) th"
        }
    }
}

extension TCPFlags {
    var names: [String] {
        let all: [(TCPFlags, String)] = [
            (.fin, "fin"), (.syn, "syn"), (.rst, "rst"), (.psh, "psh"), (.ack, "ack"), (.urg, "urg"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

extension ConnectionStates {
    var names: [String] {
        let all: [(ConnectionStates, String)] = [
            (.invalid, "invalid"), (.established, "established"), (.related, "related"), (.new, "new"),
            (.untracked, "untracked"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

extension ConnectionStatus {
    var names: [String] {
        let all: [(ConnectionStatus, String)] = [(.sourceNAT, "snat"), (.destinationNAT, "dnat")]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// What nft calls types of ICMP.
private enum ICMPTypeName {
    static let v4: [UInt8: String] = [
        0: "echo-reply", 3: "destination-unreachable", 5: "redirect", 8: "echo-request", 11: "time-exceeded",
        12: "parameter-problem",
    ]
    static let v6: [UInt8: String] = [
        1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem",
        128: "echo-request", 129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report",
        132: "mld-listener-done", 133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit",
        136: "nd-neighbor-advert", 137: "nd-redirect", 143: "mld2-listener-report",
    ]
}
