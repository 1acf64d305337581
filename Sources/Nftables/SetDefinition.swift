import Wire

/// What a set is asked with: one value of a packet, or several joined.
package enum Field: Hashable, Sendable, CaseIterable {
    case inputInterface, outputInterface
    case sourceV4, destinationV4, sourceV6, destinationV6
    case transport
    /// Of TCP, UDP or what else has ports where they have them; another match of the rule has to see to that.
    case sourcePort, destinationPort
    case mark

    package var type: KeyType {
        switch self {
        case .inputInterface, .outputInterface: .interface
        case .sourceV4, .destinationV4: .v4
        case .sourceV6, .destinationV6: .v6
        case .transport: .transport
        case .sourcePort, .destinationPort: .port
        case .mark: .mark
        }
    }
}

/// The type of one part of a set's key.
package enum KeyType: String, Hashable, Sendable, CaseIterable {
    case interface = "ifname"
    case v4 = "ipv4_addr"
    case v6 = "ipv6_addr"
    case transport = "inet_proto"
    case port = "inet_service"
    case mark
}

/// One part of an element: a value, or where the set has intervals a range of them.
package enum KeyPart: Hashable, Sendable {
    case interface(InterfacePattern)
    case prefix(Prefix)
    case transport(TransportProtocol)
    case ports(ClosedRange<UInt16>)
    case mark(UInt32)

    package static func address(_ address: IPAddress) -> KeyPart { .prefix(Prefix(host: address)) }
    package static func port(_ port: UInt16) -> KeyPart { .ports(port...port) }

    package var type: KeyType {
        switch self {
        case .interface: .interface
        case .prefix(let prefix): prefix.family == .v4 ? .v4 : .v6
        case .transport: .transport
        case .ports: .port
        case .mark: .mark
        }
    }

    /// Whether it stands for more than one value.
    package var isRange: Bool {
        switch self {
        case .interface(let pattern): pattern.isPrefix
        case .prefix(let prefix): prefix.length < prefix.family.bitWidth
        case .ports(let ports): ports.count > 1
        case .transport, .mark: false
        }
    }
}

/// A named set. What is in it may change while the rules that ask it stay.
package struct SetDefinition: Hashable, Sendable {
    package let name: String
    package let key: [KeyType]
    /// Whether its elements may be ranges: prefixes, patterns, port ranges. Elements of such a set may not overlap.
    package let hasIntervals: Bool
    package var elements: Set<[KeyPart]>

    package init(_ name: String, key: [KeyType], hasIntervals: Bool, elements: Set<[KeyPart]> = []) {
        self.name = name
        self.key = key
        self.hasIntervals = hasIntervals
        self.elements = elements
    }

    /// A set of prefixes; one that lies within another is left out.
    package init(_ name: String, _ prefixes: PrefixSet) {
        self.init(
            name, key: [prefixes.family == .v4 ? .v4 : .v6], hasIntervals: true,
            elements: Set(prefixes.prefixes.map { [.prefix($0)] }))
    }

    /// A set of interfaces; a name that a pattern covers is left out.
    package init(_ name: String, interfaces: [InterfacePattern]) {
        let distinct = interfaces.filter { one in !interfaces.contains { $0 != one && $0.contains(one) } }
        self.init(name, key: [.interface], hasIntervals: true, elements: Set(distinct.map { [.interface($0)] }))
    }

    package init(_ name: String, _ ports: PortSet) {
        self.init(name, key: [.port], hasIntervals: true, elements: Set(ports.ranges.map { [.ports($0)] }))
    }
}
