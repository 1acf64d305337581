import Testing
import Wire

@testable import Nftables

/// One of each kind.
enum Samples {
    static let matches: [Match] = [
        .input("eth0"), .input("fifteen-letters"), .output("wg*"), .output("x*"), .family(.v4), .family(.v6),
        .source(.literal("10.0.0.1")), .source(.literal("10.0.0.0/8")), .destination(.literal("10.0.0.0/13")),
        .destination(.literal("0.0.0.0/1")), .source(.literal("fd00::/7")), .destination(.literal("fd00::1")),
        .source(.literal("2001:db8::/61")), .destination(.literal("2001:db8::/64")),
        .sources(PrefixSet(.v4, [.literal("10.0.0.0/8"), .literal("192.0.2.1")])),
        .sources(PrefixSet(.v4, [.literal("10.0.0.0/24"), .literal("10.0.2.0/24"), .literal("224.0.0.0/3")])),
        .destinations(PrefixSet(.v4, [.literal("192.0.2.1")])),
        .destinations(PrefixSet(.v6, [.literal("fd00::/8"), .literal("2001:db8::1"), .literal("::/8")])),
        .member([.sourceV4], of: "hosts"), .member([.destinationV6], of: "hosts6"),
        .member([.inputInterface], of: "links"), .member([.outputInterface], of: "links"),
        .member([.destinationV4, .destinationPort], of: "services"), .member([.mark], of: "marks"),
        .transport(.tcp), .transport(.ospf), .transport(.icmpV6), .transport(.gre), .transport(.esp), .transport(.sctp),
        .transports([.tcp, .udp]), .transports([.esp]), .transports([.ospf, .gre, .icmp]),
        .destinationPorts(.tcp, PortSet(22)), .sourcePorts(.udp, PortSet([1024...65535])),
        .destinationPorts(.udp, PortSet([53...53, 67...68])), .destinationPorts(.tcp, PortSet([53...53, 80...80])),
        .destinationPorts(.sctp, PortSet(5)), .destinationPorts(nil, PortSet(53)),
        .icmpTypes([8]), .icmpTypes([0, 8, 11]), .icmpTypes([200]), .icmpV6Types([128]), .icmpV6Types([1, 2, 135]),
        .tcpFlags([.syn], mask: [.syn, .rst]), .tcpFlags([], mask: [.fin, .ack]),
        .tcpFlags([.syn, .ack], mask: [.fin, .syn, .rst, .psh, .ack, .urg]),
        .state([.established, .related]), .state([.invalid]), .state([.new, .untracked]), .status([.destinationNAT]),
        .status([.sourceNAT, .destinationNAT]), .mark(0x10), .mark(0x10, mask: 0xf0), .connectionMark(7),
        .connectionMark(0x100, mask: 0xff00), .reversePathMissing(.strict), .reversePathMissing(.loose),
        .localDestination, .arrivalDestination,
    ]

    /// A rule, and where its statement may stand.
    struct Sample: Sendable, CustomTestStringConvertible {
        let rule: Rule
        let base: Chain.Base

        init(_ statement: Statement, _ base: Chain.Base = Samples.filter) { self.init([], statement, base) }

        init(_ matches: [Match], _ statement: Statement, _ base: Chain.Base = Samples.filter) {
            rule = Rule(matches, [statement])
            self.base = base
        }

        var testDescription: String { rule.description }
    }

    static let filter = Chain.Base(hook: .prerouting, priority: .filter)
    private static let forward = Chain.Base(hook: .forward, priority: .mangle)
    private static let input = Chain.Base(hook: .input, priority: .filter)
    private static let destinationNAT = Chain.Base(.nat, hook: .prerouting, priority: .destinationNAT)
    private static let sourceNAT = Chain.Base(.nat, hook: .postrouting, priority: .sourceNAT)
    private static let http: [Match] = [.destinationPorts(.tcp, PortSet(80))]

    static let statements: [Sample] = [
        Sample(.counter("c1")), Sample(.log(Log(prefix: "x: "))),
        Sample(.log(Log(prefix: "", limit: Rate(5, per: .minute)))),
        Sample(.log(Log(prefix: String(repeating: "p", count: 200), limit: Rate(1, per: .day, burst: 9)))),
        Sample(.accept), Sample(.drop), Sample(.return), Sample(.verdict(.continue)), Sample(.jump("x")),
        Sample(.goto("x")),
        Sample(.reject(.tcpReset), input), Sample(http, .reject(.tcpReset), input),
        Sample(.reject(.unreachable(.noRoute)), input), Sample(.reject(.unreachable(.port)), input),
        Sample(.reject(.unreachable(.host)), input), Sample(.reject(.unreachable(.administrativelyProhibited)), input),
        Sample(.masquerade, sourceNAT), Sample(.masquerade([.random, .persistent]), sourceNAT),
        Sample(.masquerade([.fullyRandom]), sourceNAT),
        Sample(.sourceNAT(NATTarget(.literal("192.0.2.1"))), sourceNAT),
        Sample(
            .sourceNAT(NATTarget(.range(.literal("192.0.2.1"), .literal("192.0.2.9")), options: .persistent)), sourceNAT
        ),
        Sample(.sourceNAT(NATTarget(.literal("2001:db8::1"))), sourceNAT),
        Sample(
            http, .sourceNAT(NATTarget(.range(.literal("192.0.2.1"), .literal("192.0.2.1")), ports: 1000...2000)),
            sourceNAT),
        Sample([.source(.literal("10.0.0.0/24"))], .sourceNAT(NATTarget(.prefix(.literal("192.0.2.0/24")))), sourceNAT),
        Sample(http, .destinationNAT(NATTarget(.literal("10.0.0.5"), port: 8443)), destinationNAT),
        Sample(http, .destinationNAT(NATTarget(.literal("fd00::5"), port: 8443)), destinationNAT),
        Sample(
            http, .destinationNAT(NATTarget(.range(.literal("fd00::5"), .literal("fd00::9")), ports: 80...90)),
            destinationNAT),
        Sample(.destinationNAT(NATTarget(.literal("10.0.0.5"))), destinationNAT),
        Sample(.destinationNAT(NATTarget(.prefix(.literal("10.0.0.0/24")))), destinationNAT),
        Sample(.destinationNAT(NATTarget(.prefix(.literal("fd00:1::/64")))), destinationNAT),
        Sample(.redirect(port: nil), destinationNAT), Sample(http, .redirect(port: 8080), destinationNAT),
        Sample([.tcpFlags([.syn], mask: [.syn, .rst])], .clampMSS, forward),
        Sample(.setMark(7, mask: .max)), Sample(.setMark(0x10, mask: 0xf0)), Sample(.setConnectionMark(7, mask: .max)),
        Sample(.setConnectionMark(0x10, mask: 0xf0)), Sample(.restoreMark(mask: .max)),
        Sample(.restoreMark(mask: 0xff00)),
        Sample(.saveMark(mask: .max)), Sample(.saveMark(mask: 0xff00)),
        Sample(.doNotTrack, Chain.Base(hook: .prerouting, priority: .raw)),
    ]

    static let sets: [SetDefinition] = [
        SetDefinition(
            "s", PrefixSet(.v4, [.literal("10.0.0.0/8"), .literal("192.0.2.1"), .literal("255.255.255.255")])),
        SetDefinition("s", PrefixSet(.v4, [.literal("10.0.0.0/24"), .literal("10.0.1.0/24"), .literal("0.0.0.0/8")])),
        SetDefinition("s", PrefixSet(.v6, [.literal("fd00::/8"), .literal("::1"), .literal("ff00::/8")])),
        SetDefinition("s", PrefixSet(.v6, [.literal("::/0")])), SetDefinition("s", PrefixSet(.v4, [])),
        SetDefinition("s", interfaces: ["eth0", "br-*", "fifteen-letters"]),
        SetDefinition("s", PortSet([22...22, 80...90, 65535...65535])),
        SetDefinition("s", key: [.v4], hasIntervals: false, elements: [[.address(.literal("10.0.0.1"))]]),
        SetDefinition("s", key: [.transport], hasIntervals: false, elements: [[.transport(.tcp)], [.transport(.udp)]]),
        SetDefinition("s", key: [.mark], hasIntervals: false, elements: [[.mark(1)], [.mark(0x8000_0000)]]),
        SetDefinition(
            "s", key: [.transport, .port], hasIntervals: false,
            elements: [[.transport(.tcp), .port(22)], [.transport(.udp), .port(53)]]),
        SetDefinition(
            "s", key: [.v4, .transport, .port], hasIntervals: true,
            elements: [
                [.prefix(.literal("10.0.0.0/8")), .transport(.tcp), .ports(80...90)],
                [.address(.literal("192.0.2.1")), .transport(.udp), .port(53)],
            ]),
        SetDefinition(
            "s", key: [.interface, .v6], hasIntervals: true,
            elements: [
                [.interface("br-*"), .prefix(.literal("fd00::/8"))], [.interface("eth0"), .prefix(.literal("::/0"))],
            ]
        ),
    ]

    /// With all that the samples ask for.
    static func ruleset(_ chains: [Chain]) -> Ruleset {
        Ruleset(
            Table("ours"),
            sets: [
                SetDefinition("hosts", PrefixSet(.v4, [.literal("10.0.0.0/8")])),
                SetDefinition("hosts6", PrefixSet(.v6, [.literal("fd00::/8")])),
                SetDefinition("links", interfaces: ["eth0", "br-*"]),
                SetDefinition("services", key: [.v4, .port], hasIntervals: true),
                SetDefinition("marks", key: [.mark], hasIntervals: false, elements: [[.mark(1)]]),
            ],
            chains: [Chain("x")] + chains)
    }
}

extension Prefix {
    static func literal(_ text: String) -> Prefix {
        guard let prefix = Prefix(text) else { preconditionFailure("not a prefix: \(text)") }
        return prefix
    }
}

extension IPAddress {
    static func literal(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
        return address
    }
}
