import Glibc
import Linux
import Support
import Testing
import Wire

@testable import Nftables

/// What stands in the kernel already, by whomever, as nft has put it there.
@Suite(.enabled(if: PrivateNetwork.isPossible && Nft.isThere, "\(Nft.need)"))
struct OtherTablesTests {
    private static let input = Chain.Base(hook: .input, priority: .filter)

    @Test func `the tables of others are not touched`() throws {
        try PrivateNetwork.run {
            let others = """
                table inet theirs { set s { type ipv4_addr; elements = { 10.0.0.1 }; }
                  counter c { packets 5 bytes 7 }
                  chain in { type filter hook input priority 0; ip saddr @s counter name c drop
                  }
                }
                table ip ours {
                  chain in { type filter hook input priority 0
                    accept
                  }
                }
                table ip6 ours {
                  chain x {
                    drop
                  }
                }
                """
            _ = try Nft.run("-f -", input: others)
            let before = try Nft.run("-a list ruleset")
            var socket = try NftablesSocket()
            try socket.apply(
                Ruleset(
                    Table("ours"), sets: [SetDefinition("s", PortSet(1))],
                    chains: [Chain("in", Self.input, rules: [Rule([], counter: "c", [.drop])])]))
            #expect(try socket.counters(of: Table("ours")) == ["c": CounterValue()])
            try socket.apply(Ruleset(Table("ours"), chains: [Chain("other")]))
            try socket.remove(Table("ours"))
            #expect(try Nft.run("-a list ruleset") == before)
        }
    }

    @Test func `whatever stands in the table is taken over`() throws {
        try PrivateNetwork.run {
            let found = """
                table inet ours {
                  set s { type ipv4_addr; flags dynamic, timeout; timeout 1h; }
                  set kept { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 11.0.0.0/9, 224.0.0.0/3 }; }
                  map data { type inet_service : ipv4_addr; elements = { 22 : 10.0.0.1 }; }
                  quota q { over 10 mbytes }
                  limit c { rate 5/second }
                  counter kept { packets 5 bytes 7 }
                  chain a { quota name q drop; limit name c accept; }
                  chain in { type filter hook input priority 5; add @s { ip saddr }; jump a; }
                  chain out { type filter hook output priority 0; policy drop; tcp dport { 1, 2 } dnat ip to tcp dport map @data; }
                }
                """
            // A map to addresses wants a chain of NAT; without, the rest of it stands all the same.
            _ = try Nft.run("-f -", input: found.replacing(" dnat ip to tcp dport map @data", with: " drop"))
            var socket = try NftablesSocket()
            let ruleset = Ruleset(
                Table("ours"), counters: [CounterDefinition("kept"), CounterDefinition("c")],
                sets: [
                    SetDefinition("s", PrefixSet(.v4, [.literal("192.0.2.1")])),
                    SetDefinition("kept", PrefixSet(.v4, [.literal("10.0.0.0/8"), .literal("11.0.0.0/8")])),
                ],
                chains: [Chain("in", Self.input), Chain("out"), Chain("new", rules: [Rule([], [.jump("out")])])])
            try socket.apply(ruleset)
            let contents = try socket.read(Table("ours"))
            #expect(contents.counters == ["kept": CounterValue(packets: 5, bytes: 7), "c": CounterValue()])
            #expect(contents.otherObjects == [])
            #expect(contents.elementCounts == ["s": 1, "kept": 2])
            #expect(Set(contents.chains.map(\.name)) == ["in", "out", "new"])
            #expect(contents.chains.first { $0.name == "in" }?.base == Self.input)
            #expect(contents.chains.first { $0.name == "out" }?.base == nil)
            #expect(
                contents.sets.sorted { $0.name < $1.name }
                    == (try ruleset.sets.map { try KernelSet($0) }).sorted { $0.name < $1.name })
        }
    }

    @Test func `a table that sleeps is made anew`() throws {
        try PrivateNetwork.run {
            let found = """
                table inet ours { flags dormant
                  counter c { packets 5 bytes 7 }
                  chain in { type filter hook input priority 5; counter name c drop; }
                }
                """
            _ = try Nft.run("-f -", input: found)
            var socket = try NftablesSocket()
            try socket.apply(
                Ruleset(Table("ours"), chains: [Chain("in", Self.input, rules: [Rule([], counter: "c", [.accept])])]))
            #expect(try socket.read(Table("ours")).isDormant == false)
            #expect(try socket.read(Table("ours")).chains.map(\.base) == [Self.input])
            #expect(try socket.counters(of: Table("ours")) == ["c": CounterValue()])
        }
    }

    @Test func `another's table is said to be another's`() throws {
        try PrivateNetwork.run {
            // An owner is the socket that has made the table: it stays while that is open.
            guard let owner = unsafe popen("exec /usr/sbin/nft -i", "w") else { throw Errno.last("popen") }
            defer { unsafe pclose(owner) }
            unsafe fputs("add table inet ours { flags owner; }\n", owner)
            unsafe fflush(owner)
            var socket = try NftablesSocket()
            let deadline = Clocks.now() + .seconds(10)
            while try !socket.read(Table("ours")).exists, Clocks.now() < deadline { usleep(1000) }
            #expect(try socket.read(Table("ours")).owner != nil)
            let ruleset = Ruleset(Table("ours"), chains: [Chain("in", Self.input)])
            let error = #expect(throws: NftablesError.self) { try socket.apply(ruleset) }
            #expect(error == .owned(table: "ours"))
            let removal = #expect(throws: NftablesError.self) { try socket.remove(Table("ours")) }
            #expect(removal == .owned(table: "ours"))
            try socket.apply(Ruleset(Table("free")))
        }
    }
}
