import Wire

extension Match {
    /// What the kernel is asked for this match: nothing where it holds for every packet, nil where it holds for none.
    ///
    /// So a list that turns out to be empty is no error: the rule is left out, or asks less. A negated match still asks for
    /// the family and the protocol that it is about.
    var effective: [Match]? {
        guard isVacuous else { return [self] }
        guard isNegated else { return nil }
        return switch test {
        case .addresses(_, let set): [.family(set.family)]
        case .ports(let transport, _, _): transport.map { [.transport($0)] } ?? []
        case .icmpTypes: [.family(.v4), .transport(.icmp)]
        case .icmpV6Types: [.family(.v6), .transport(.icmpV6)]
        case .tcpFlags: [.transport(.tcp)]
        default: []
        }
    }

    /// Whether nothing can be what the test asks for.
    private var isVacuous: Bool {
        switch test {
        case .addresses(_, let set): set.prefixes.isEmpty
        case .transports(let transports): transports.isEmpty
        case .ports(_, _, let ports): ports.ranges.isEmpty
        case .icmpTypes(let types), .icmpV6Types(let types): types.isEmpty
        case .tcpFlags(let flags, let mask): !flags.isSubset(of: mask)
        case .connectionState(let states): states.isEmpty
        case .connectionStatus(let status): status.isEmpty
        default: false
        }
    }
}
