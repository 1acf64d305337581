import Glibc
import Linux
import Support
import Testing
import Wire

@testable import Nftables

/// What rules mean, shown by packets.
@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct PacketTests {
    /// Of a datagram from A's port 40000 to B's port 5000, where R forwards it.
    private static let matching: [(Match, Bool)] = [
        (.input("lan0"), true), (.input("lan*"), true), (.input("l*"), true), (.input("lan"), false),
        (.input("wan*"), false), (.output("wan*"), true), (!.output("wan*"), false), (.output("lan0"), false),
        (.member([.inputInterface], of: "links"), true), (.member([.outputInterface], of: "links"), false),
        (.member([.inputInterface, .destinationV4], of: "pairs"), true),
        (.member([.outputInterface, .sourceV4], of: "pairs"), false),
        (.source(.literal("10.0.1.2")), true), (.source(.literal("10.0.1.2/31")), true),
        (.source(.literal("10.0.1.0/31")), false), (.source(.literal("10.0.0.0/8")), true),
        (.source(.literal("10.0.0.0/15")), true), (.source(.literal("10.2.0.0/15")), false),
        (.source(.literal("0.0.0.0/0")), true), (.source(.literal("::/0")), false),
        (!.source(.literal("0.0.0.0/0")), false),
        (.destination(.literal("10.0.2.0/24")), true), (!.destination(.literal("10.0.2.0/24")), false),
        (.sources(PrefixSet(.v4, [.literal("10.0.1.0/31"), .literal("10.0.1.2/31")])), true),
        (.sources(PrefixSet(.v4, [.literal("10.0.1.0/31"), .literal("10.0.1.3")])), false),
        (.sources(PrefixSet(.v4, [.literal("10.0.1.0/31"), .literal("224.0.0.0/3")])), false),
        (.member([.sourceV4], of: "hosts"), true), (.member([.destinationV4], of: "hosts"), false),
        (.member([.destinationV4, .transport, .destinationPort], of: "services"), true),
        (.member([.destinationV4, .transport, .sourcePort], of: "services"), false),
        (.destinationPorts(.udp, PortSet(5000)), true), (.destinationPorts(.tcp, PortSet(5000)), false),
        (.destinationPorts(.udp, PortSet([4999...5000])), true),
        (.destinationPorts(.udp, PortSet([5001...6000])), false),
        (!.destinationPorts(.udp, PortSet([5001...6000])), true), (.sourcePorts(.udp, PortSet([1024...65535])), true),
        (.destinationPorts(.udp, PortSet([1...1, 4000...5000])), true),
        (.destinationPorts(.udp, PortSet([1...1, 4000...4999])), false), (.destinationPorts(nil, PortSet(5000)), true),
        (.destinationPorts(.udp, PortSet([80...80, 5000...5000])), true),
        (.transport(.udp), true), (.transports([.tcp, .udp]), true), (!.transports([.tcp, .udp]), false),
        (.family(.v4), true), (.family(.v6), false), (.state([.new]), true), (.state([.established, .related]), false),
        (.state([.new, .established]), true), (!.state([.new]), false), (.status([.destinationNAT]), false),
        (.mark(0), true), (.mark(1, mask: 1), false), (.connectionMark(0, mask: 0xff), true), (.icmpTypes([8]), false),
        (.localDestination, false), (!.localDestination, true), (.tcpFlags([.syn], mask: [.syn]), false),
    ]

    @Test func `a match holds for the packets that it describes`() throws {
        try ThreeHosts.run { hosts in
            var socket = try NftablesSocket()
            let rules = Self.matching.enumerated().map { Rule([$1.0], counter: "c\($0)", [.verdict(.continue)]) }
            let sets = [
                SetDefinition("links", interfaces: ["la*", "eth0"]),
                SetDefinition("hosts", PrefixSet(.v4, [.literal("10.0.1.0/24"), .literal("192.0.2.0/24")])),
                SetDefinition(
                    "pairs", key: [.interface, .v4], hasIntervals: true,
                    elements: [[.interface("la*"), .prefix(.literal("10.0.2.0/24"))]]),
                SetDefinition(
                    "services", key: [.v4, .transport, .port], hasIntervals: true,
                    elements: [[.prefix(.literal("10.0.2.0/24")), .transport(.udp), .ports(4000...5000)]]),
            ]
            let chain = Chain("forward", Chain.Base(hook: .forward, priority: .filter), rules: rules)
            try socket.apply(Ruleset(Table("ours"), sets: sets, chains: [chain]))
            let a = try hosts.inA { try PlainSocket.bound(to: ThreeHosts.a, port: 40000) }
            let b = try hosts.inB { try PlainSocket.bound(to: ThreeHosts.b, port: 5000) }
            try a.send(to: ThreeHosts.b, port: 5000)
            #expect(try b.receive().address == ThreeHosts.a)
            let counters = try socket.counters(of: Table("ours"))
            for (index, (match, holds)) in Self.matching.enumerated() {
                #expect(counters["c\(index)"]?.packets == (holds ? 1 : 0), "\(match)")
            }
        }
    }

    /// What a name's zeros and a port's order are about is shown by `matching`; this is about what changes a packet.
    @Test func `addresses and ports are changed, and answers find back`() throws {
        try ThreeHosts.run { hosts in
            var socket = try NftablesSocket()
            let forwards: [Match] = [.input("wan0"), .destinationPorts(.udp, PortSet(8443))]
            let chains = [
                Chain(
                    "dstnat", Chain.Base(.nat, hook: .prerouting, priority: .destinationNAT),
                    rules: [
                        Rule(forwards, counter: "forward", [.destinationNAT(NATTarget(ThreeHosts.a, port: 40000))]),
                        Rule([.input("lan0"), .destinationPorts(.udp, PortSet(53))], [.redirect(port: 5353)]),
                    ]),
                Chain(
                    "srcnat", Chain.Base(.nat, hook: .postrouting, priority: .sourceNAT),
                    rules: [Rule([.output("wan*")], counter: "masquerade", [.masquerade])]),
                Chain(
                    "forward", Chain.Base(hook: .forward, priority: .filter, policy: .drop),
                    rules: [
                        Rule([.state([.established])], [.accept]),
                        Rule([.status([.destinationNAT])], counter: "dnat", [.accept]),
                        Rule([.input("lan0")], [.accept]),
                    ]),
            ]
            try socket.apply(Ruleset(Table("ours"), chains: chains))
            let a = try hosts.inA { try PlainSocket.bound(to: ThreeHosts.a, port: 40000) }
            let b = try hosts.inB { try PlainSocket.bound(to: ThreeHosts.b, port: 5000) }

            try b.send(to: ThreeHosts.wan, port: 8443)
            #expect(try a.receive() == (ThreeHosts.b, 5000))
            try a.send(to: ThreeHosts.b, port: 5000)
            #expect(try b.receive() == (ThreeHosts.wan, 8443), "the answer")

            let other = try hosts.inA { try PlainSocket.bound(to: ThreeHosts.a, port: 40001) }
            try other.send(to: ThreeHosts.b, port: 5000)
            #expect(try b.receive() == (ThreeHosts.wan, 40001))

            let resolver = try PlainSocket.bound(to: ThreeHosts.lan, port: 5353)
            try other.send(to: ThreeHosts.b, port: 53)
            #expect(try resolver.receive() == (ThreeHosts.a, 40001))
            #expect(
                try socket.counters(of: Table("ours")).mapValues(\.packets) == [
                    "forward": 1, "masquerade": 1, "dnat": 1,
                ])
        }
    }

    @Test func `a prefix is translated one to one`() throws {
        try ThreeHosts.run { hosts in
            var socket = try NftablesSocket()
            let rule = Rule(
                [.source(.literal("10.0.1.0/24"))], [.sourceNAT(NATTarget(.prefix(.literal("10.9.7.0/24"))))])
            let base = Chain.Base(.nat, hook: .postrouting, priority: .sourceNAT)
            try socket.apply(Ruleset(Table("ours"), chains: [Chain("srcnat", base, rules: [rule])]))
            let a = try hosts.inA { try PlainSocket.bound(to: ThreeHosts.a, port: 40000) }
            let b = try hosts.inB { try PlainSocket.bound(to: ThreeHosts.b, port: 5000) }
            try a.send(to: ThreeHosts.b, port: 5000)
            #expect(try b.receive() == (.literal("10.9.7.2"), 40000))
        }
    }

    @Test(arguments: [false, true]) func `a SYN's segment size is lowered to the route's`(isClamped: Bool) throws {
        try ThreeHosts.run { hosts in
            var netlink = try RouteNetlink()
            try netlink.setMTU(1000, link: netlink.index(of: "wan0"))
            var socket = try NftablesSocket()
            let rule = Rule([.tcpFlags([.syn], mask: [.syn, .rst])], isClamped ? [.clampMSS] : [])
            let base = Chain.Base(hook: .forward, priority: .mangle)
            try socket.apply(Ruleset(Table("ours"), chains: [Chain("mss", base, rules: [rule])]))
            let a = try hosts.inA { try PlainSocket.bound(SOCK_STREAM, to: ThreeHosts.a, port: 40000) }
            let b = try hosts.inB { try PlainSocket.bound(SOCK_STREAM, to: ThreeHosts.b, port: 5000) }
            try b.listen()
            try a.connect(to: ThreeHosts.b, port: 5000)
            let connection = try b.accept()
            // Less 20 of IPv4, 20 of TCP and 12 of its timestamps.
            let size = try SocketOption.get(connection.descriptor.rawValue, CInt(IPPROTO_TCP), TCP_MAXSEG, "TCP_MAXSEG")
            #expect(size == (isClamped ? 1000 : 1500) - 52)
        }
    }

    @Test func `the reverse path is missing for sources that are elsewhere, or nowhere`() throws {
        try ThreeHosts.run { hosts in
            for name in ["all", "lan0"] { try Sysctl("net/ipv4/conf/\(name)/rp_filter").write("0") }
            var socket = try NftablesSocket()
            let base = Chain.Base(hook: .prerouting, priority: .raw)
            let rules = [
                Rule(
                    [.input("lan0"), .transport(.udp), .reversePathMissing(.strict)], counter: "strict",
                    [.verdict(.continue)]),
                Rule(
                    [.input("lan0"), .transport(.udp), .reversePathMissing(.loose)], counter: "loose",
                    [.verdict(.continue)]),
                Rule([.input("lan0"), .transport(.udp)], counter: "all", [.verdict(.continue)]),
            ]
            try socket.apply(Ruleset(Table("ours"), chains: [Chain("rpf", base, rules: rules)]))
            let b = try hosts.inB { try PlainSocket.bound(to: ThreeHosts.b, port: 5000) }
            try hosts.inA {
                var netlink = try RouteNetlink()
                let sources = [(ThreeHosts.a, 1), (.literal("10.0.2.77"), 2), (.literal("192.0.2.7"), 4)]
                for (source, count) in sources {
                    if source != ThreeHosts.a {
                        try netlink.add(#require(InterfaceAddress("\(source)/32")), link: netlink.index(of: "link"))
                    }
                    try PlainSocket.bound(to: source, port: 40000).send(count, to: ThreeHosts.b, port: 5000)
                }
            }
            for _ in 0..<7 { _ = try b.receive() }
            #expect(try socket.counters(of: Table("ours")).mapValues(\.packets) == ["strict": 6, "loose": 4, "all": 7])
        }
    }
}
