/// A protocol above IP and destination ports of it: `tcp/443`, `udp/4000-4100`, `tcp/80,443`, or a protocol alone.
public struct ServicePorts: Hashable, Sendable {
    public static let icmp: UInt8 = 1
    public static let tcp: UInt8 = 6
    public static let udp: UInt8 = 17
    public static let icmpV6: UInt8 = 58
    public static let ospf: UInt8 = 89

    /// IP's number of it; `icmp` stands for ICMPv6 too.
    public let transport: UInt8
    /// Empty where all ports are meant, or there are none.
    public let ports: [ClosedRange<UInt16>]

    public init(_ transport: UInt8, _ ports: [ClosedRange<UInt16>] = []) {
        self.transport = transport
        self.ports = ports
    }

    /// Whether all that `other` is about is in this.
    public func covers(_ other: ServicePorts) -> Bool {
        guard transport == other.transport else { return false }
        guard !ports.isEmpty else { return true }
        return !other.ports.isEmpty
            && other.ports.allSatisfy { port in
                ports.contains { $0.lowerBound <= port.lowerBound && port.upperBound <= $0.upperBound }
            }
    }

    public func overlaps(_ other: ServicePorts) -> Bool {
        transport == other.transport
            && (ports.isEmpty || other.ports.isEmpty
                || ports.contains { port in other.ports.contains { $0.overlaps(port) } })
    }
}

extension ServicePorts: ScalarOption, CustomStringConvertible {
    public static var expected: String { "a protocol and ports such as tcp/443, udp/4000-4100 or icmp" }

    private static let names: [(String, UInt8)] = [
        ("icmp", icmp), ("tcp", tcp), ("udp", udp), ("sctp", 132), ("gre", 47), ("esp", 50), ("ospf", ospf),
    ]
    private static let withPorts: Set<UInt8> = [tcp, udp, 132]

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        let parts = scalar.text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let transport = Self.names.first(where: { $0.0 == name })?.1 else {
            let hint = Suggestion.hint(for: String(parts.first ?? ""), among: Self.names.map(\.0))
            throw Self.unexpected(scalar, hint)
        }
        guard parts.count == 2 else {
            self.init(transport)
            return
        }
        guard Self.withPorts.contains(transport) else { throw Self.unexpected(scalar, ": \(name) has no ports") }
        var ranges: [ClosedRange<UInt16>] = []
        for text in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = Self.range(text) else {
                throw Self.unexpected(scalar, ": a port is a number from 1 to 65535, a range of them 80-90")
            }
            ranges.append(range)
        }
        self.init(transport, ranges)
    }

    private static func range(_ text: Substring) -> ClosedRange<UInt16>? {
        let bounds = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = bounds.compactMap { bound in
            bound.allSatisfy { ("0"..."9").contains($0) } ? UInt16(bound) : nil
        }
        guard numbers.count == bounds.count, let first = numbers.first, let last = numbers.last, first > 0,
            first <= last
        else { return nil }
        return first...last
    }

    public var description: String {
        let name = Self.names.first { $0.1 == transport }?.0 ?? String(transport)
        let ports = ports.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return ports.isEmpty ? name : "\(name)/\(ports.joined(separator: ","))"
    }
}

/// One value, or a list of them: `from: lan`, `from: [lan, vpn]`.
public struct OneOrMore<Element: OptionValue>: OptionValue {
    public var values: [Element]

    public init(_ values: [Element]) { self.values = values }

    public static var shape: OptionShape { .either([Element.shape, .list(Element.shape)]) }

    public static func read(_ value: Value, _ diagnostics: Diagnostics) -> OneOrMore? {
        guard case .sequence(let elements) = value.content else {
            return Element.read(value, diagnostics).map { OneOrMore([$0]) }
        }
        if elements.isEmpty { diagnostics.error("an empty list", at: value.position) }
        return OneOrMore(elements.compactMap { Element.read($0, diagnostics) })
    }
}

extension OneOrMore: Equatable where Element: Equatable {}
