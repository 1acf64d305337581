import Wire

/// A question about a packet; `!match` asks for the opposite.
package struct Match: Hashable, Sendable {
    package var test: Test
    package var isNegated = false

    package init(_ test: Test, isNegated: Bool = false) {
        self.test = test
        self.isNegated = isNegated
    }

    package static prefix func ! (match: Match) -> Match { Match(match.test, isNegated: !match.isNegated) }

    package enum Test: Hashable, Sendable {
        case interface(Way, InterfacePattern)
        case family(IPAddress.Family)
        /// The prefix's family is asked for too.
        case address(End, Prefix)
        /// One rule for any number of prefixes.
        case addresses(End, PrefixSet)
        /// In the set of that name, whose key has these fields.
        case member([Field], set: String)
        case transport(TransportProtocol)
        case transports([TransportProtocol])
        /// With a protocol, that is asked for too; with none, another match of the rule has to see to it.
        case ports(TransportProtocol?, End, PortSet)
        case icmpTypes([UInt8])
        case icmpV6Types([UInt8])
        /// Those of the flags in `mask` that are set are exactly `flags`.
        case tcpFlags(TCPFlags, mask: TCPFlags)
        /// One of the states.
        case connectionState(ConnectionStates)
        /// One of them.
        case connectionStatus(ConnectionStatus)
        case mark(UInt32, mask: UInt32)
        case connectionMark(UInt32, mask: UInt32)
        /// With the packet's mark, answers to the source would not leave by the interface that it came in by, or by none at
        /// all (`loose`).
        case reversePathMissing(ReversePath)
        /// The destination is an address of this host.
        case localDestination
        /// The destination is an address of the interface that the packet came in by.
        case arrivalDestination
    }

    /// The interface that a packet came in by, or will leave by.
    package enum Way: Hashable, Sendable, CaseIterable { case `in`, out }

    package enum End: Hashable, Sendable, CaseIterable { case source, destination }

    package enum ReversePath: Hashable, Sendable, CaseIterable { case strict, loose }
}

// The matches as they are written in a rule.
extension Match {
    package static func input(_ interface: InterfacePattern) -> Match { Match(.interface(.in, interface)) }
    package static func output(_ interface: InterfacePattern) -> Match { Match(.interface(.out, interface)) }
    package static func family(_ family: IPAddress.Family) -> Match { Match(.family(family)) }
    package static func source(_ prefix: Prefix) -> Match { Match(.address(.source, prefix)) }
    package static func destination(_ prefix: Prefix) -> Match { Match(.address(.destination, prefix)) }
    package static func sources(_ prefixes: PrefixSet) -> Match { Match(.addresses(.source, prefixes)) }
    package static func destinations(_ prefixes: PrefixSet) -> Match { Match(.addresses(.destination, prefixes)) }
    package static func member(_ fields: [Field], of set: String) -> Match { Match(.member(fields, set: set)) }
    package static func transport(_ transport: TransportProtocol) -> Match { Match(.transport(transport)) }
    package static func transports(_ transports: [TransportProtocol]) -> Match { Match(.transports(transports)) }
    package static func sourcePorts(_ transport: TransportProtocol?, _ ports: PortSet) -> Match {
        Match(.ports(transport, .source, ports))
    }
    package static func destinationPorts(_ transport: TransportProtocol?, _ ports: PortSet) -> Match {
        Match(.ports(transport, .destination, ports))
    }
    package static func icmpTypes(_ types: [UInt8]) -> Match { Match(.icmpTypes(types)) }
    package static func icmpV6Types(_ types: [UInt8]) -> Match { Match(.icmpV6Types(types)) }
    package static func tcpFlags(_ flags: TCPFlags, mask: TCPFlags) -> Match { Match(.tcpFlags(flags, mask: mask)) }
    package static func state(_ states: ConnectionStates) -> Match { Match(.connectionState(states)) }
    package static func status(_ status: ConnectionStatus) -> Match { Match(.connectionStatus(status)) }
    package static func mark(_ value: UInt32, mask: UInt32 = .max) -> Match { Match(.mark(value, mask: mask)) }
    package static func connectionMark(_ value: UInt32, mask: UInt32 = .max) -> Match {
        Match(.connectionMark(value, mask: mask))
    }
    package static func reversePathMissing(_ kind: ReversePath) -> Match { Match(.reversePathMissing(kind)) }
    package static var localDestination: Match { Match(.localDestination) }
    package static var arrivalDestination: Match { Match(.arrivalDestination) }
}
