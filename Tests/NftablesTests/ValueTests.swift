import Testing
import Wire

@testable import Nftables

@Suite struct PortSetTests {
    @Test(
        arguments: [
            ([80...80, 22...22], [22...22, 80...80]),
            ([22...30, 25...40], [22...40]),
            ([22...30, 31...40], [22...40]),
            ([1...65535, 5...6], [1...65535]),
            ([65535...65535, 0...0], [0...0, 65535...65535]),
        ] as [([ClosedRange<UInt16>], [ClosedRange<UInt16>])])
    func `what overlaps or touches is one range`(given: [ClosedRange<UInt16>], merged: [ClosedRange<UInt16>]) {
        #expect(PortSet(given).ranges == merged)
    }
}

@Suite struct PrefixSetTests {
    @Test func `a prefix within another is left out, and so is the other family`() throws {
        let texts = ["10.1.0.0/16", "10.0.0.0/8", "fd00::/8", "192.0.2.1", "10.0.0.0/8", "9.0.0.0/8", "10.255.255.255"]
        let prefixes = try texts.map { try #require(Prefix($0)) }
        #expect(PrefixSet(.v4, prefixes).prefixes.map(\.description) == ["9.0.0.0/8", "10.0.0.0/8", "192.0.2.1/32"])
        #expect(PrefixSet(.v6, prefixes).prefixes.map(\.description) == ["fd00::/8"])
        #expect(PrefixSet(.v4, prefixes + [try #require(Prefix("0.0.0.0/0"))]).prefixes.map(\.length) == [0])
    }
}

@Suite struct InterfacePatternTests {
    @Test(arguments: ["eth0", "br-*", "a.b@c", "fifteen-letters", "fifteen-letters*", "x*"])
    func `what interfaces are called, and their beginnings, are patterns`(text: String) {
        #expect(InterfacePattern(text)?.description == text)
    }

    @Test(arguments: [
        "", "*", ".", "..", "sixteen-letters-", "a b", "a/b", "a:b", "a\"b", "a*b", "a**", "ü", "a\u{7f}",
    ])
    func `what no interface is called is none`(text: String) { #expect(InterfacePattern(text) == nil) }

    @Test func `in a set, a name that a pattern covers is left out`() throws {
        let patterns = try ["br-lan", "br-*", "eth0", "br-l*", "br-*"].map { try #require(InterfacePattern($0)) }
        #expect(SetDefinition("s", interfaces: patterns).elementTexts == ["\"br-*\"", "\"eth0\""])
    }
}

@Suite struct RulePartsTests {
    @Test func `a limited log stands in a rule before, so that it does not limit the verdict`() {
        let rule = Rule(
            [.destinationPorts(.tcp, PortSet(22))], counter: "ssh",
            [.log(Log(prefix: "ssh: ", limit: Rate(5, per: .minute))), .drop], comment: "router.yaml:31")
        #expect(
            rule.description == """
                tcp dport 22 limit rate 5/minute log prefix "ssh: " comment "router.yaml:31"
                tcp dport 22 counter name "ssh" drop comment "router.yaml:31"
                """)
        #expect(rule.counterNames == ["ssh"])
        let unlimited = Rule([], [.log(Log(prefix: "x")), .drop])
        #expect(unlimited.description == #"log prefix "x" drop"#)
        #expect(Rule([], [.log(Log(prefix: "x", limit: Rate(1, per: .day)))]).parts.count == 1)
        #expect(Rule([.input("eth0")], []).description == #"iifname "eth0""#)
    }

    @Test func `with an empty list a rule is left out, or asks less when it is negated`() {
        let none = PrefixSet(.v6, [])
        let ports = PortSet([])
        let never: [Match] = [
            .sources(none), .transports([]), .destinationPorts(.udp, ports), .icmpTypes([]), .icmpV6Types([]),
            .state([]),
            .status([]), .tcpFlags([.syn], mask: [.ack]),
        ]
        for match in never { #expect(Rule([.input("eth0"), match], [.drop]).parts == [], "\(match)") }
        let less = [
            "meta nfproto ipv6 drop", "drop", "meta l4proto udp drop", "meta nfproto ipv4 meta l4proto icmp drop",
            "meta nfproto ipv6 meta l4proto ipv6-icmp drop", "drop", "drop", "meta l4proto tcp drop",
        ]
        #expect(never.map { Rule([!$0], [.drop]).description } == less)
        #expect(Rule([!(!Match.sources(none))], [.drop]).parts == [])
    }

    @Test func `counters are declared once, whoever names them`() {
        let chains = [
            Chain("a", rules: [Rule([], counter: "x", [.drop]), Rule([], counter: "y", [.accept])]),
            Chain("b", rules: [Rule([], counter: "x", [.drop])]),
        ]
        #expect(Ruleset(Table("t"), chains: chains).counters == ["x", "y"])
    }

    /// Without the match it would hold for every packet.
    @Test func `a rule whose set cannot be written is not written either`() throws {
        let writer = RuleWriter(table: "t", chain: "c", comment: "", firstSetID: 1)
        guard var writer = consume writer else { throw CancellationError() }
        writer.lookup(SetDefinition("", key: [.port], hasIntervals: false, elements: [[.port(1)]]), false)
        #expect(writer.problem == nil)
        writer.lookup(SetDefinition("", key: [.port], hasIntervals: false, elements: [[.mark(1)]]), false)
        #expect(writer.problem == "the element 0x00000001 is of another type")
        #expect(writer.sets.count == 1)
    }

    @Test func `a comment is one line without quotation marks that nft takes back`() {
        let rule = Rule([], [.drop], comment: "a \"b\"\nc" + String(repeating: "ü", count: 100))
        #expect(rule.description == "drop comment \"a 'b' c" + String(repeating: "ü", count: 60) + "\"")
    }
}

/// Patterns in tests are written as they are in rules.
extension InterfacePattern: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) {
        guard let pattern = InterfacePattern(text) else { preconditionFailure("no interface is called \(text)") }
        self = pattern
    }
}
