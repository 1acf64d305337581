/// A protocol above IP, by its number.
package struct TransportProtocol: Hashable, Sendable, RawRepresentable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let icmp = TransportProtocol(rawValue: 1)
    package static let tcp = TransportProtocol(rawValue: 6)
    package static let udp = TransportProtocol(rawValue: 17)
    package static let gre = TransportProtocol(rawValue: 47)
    package static let esp = TransportProtocol(rawValue: 50)
    package static let icmpV6 = TransportProtocol(rawValue: 58)
    package static let ospf = TransportProtocol(rawValue: 89)
    package static let sctp = TransportProtocol(rawValue: 132)
}

/// The flags of a TCP header, by their bits.
package struct TCPFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let fin = TCPFlags(rawValue: 0x01)
    package static let syn = TCPFlags(rawValue: 0x02)
    package static let rst = TCPFlags(rawValue: 0x04)
    package static let psh = TCPFlags(rawValue: 0x08)
    package static let ack = TCPFlags(rawValue: 0x10)
    package static let urg = TCPFlags(rawValue: 0x20)
}

/// What connection tracking thinks of a packet's flow (`NF_CT_STATE_BIT`, linux/netfilter/nf_conntrack_common.h).
package struct ConnectionStates: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let invalid = ConnectionStates(rawValue: 1)
    package static let established = ConnectionStates(rawValue: 2)
    package static let related = ConnectionStates(rawValue: 4)
    package static let new = ConnectionStates(rawValue: 8)
    package static let untracked = ConnectionStates(rawValue: 64)
}

/// What has been done with a packet's flow (`IPS_SRC_NAT`, `IPS_DST_NAT`).
package struct ConnectionStatus: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let sourceNAT = ConnectionStatus(rawValue: 1 << 4)
    package static let destinationNAT = ConnectionStatus(rawValue: 1 << 5)
}
