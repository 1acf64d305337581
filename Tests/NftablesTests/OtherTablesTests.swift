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
                  map pairs { type ifname : verdict; elements = { "eth0" : jump a, "eth1" : drop }; }
                  map data { type inet_service : ipv4_addr; elements = { 22 : 10.0.0.1 }; }
                  quota q { over 10 mbytes }
                  limit c { rate 5/second }
                  counter kept { packets 5 bytes 7 }
                  chain a { quota name q drop; limit name c accept; }
                  chain in { type filter hook input priority 5; add @s { ip saddr }; iifname vmap @pairs; jump a; }
                  chain out { type filter hook output priority 0; policy drop; tcp dport { 1, 2 } dnat ip to tcp dport map @data; }
                }
                """
            // A map to addresses wants a chain of NAT; without, the rest of it stands all the same.
            _ = try Nft.run("-f -", input: found.replacing(" dnat ip to tcp dport map @data", with: " drop"))
            var socket = try NftablesSocket()
            let ruleset = Ruleset(
                Table("ours"),
                sets: [
                    SetDefinition("s", PrefixSet(.v4, [.literal("192.0.2.1")])),
                    SetDefinition("kept", PrefixSet(.v4, [.literal("10.0.0.0/8"), .literal("11.0.0.0/8")])),
                ],
                chains: [
                    Chain("in", Self.input), Chain("out"),
                    Chain("new", rules: [Rule([], counter: "kept", [.jump("out")]), Rule([], counter: "c", [.drop])]),
                ])
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
            let port = try #require(try socket.read(Table("ours")).owner)
            let ruleset = Ruleset(Table("ours"), chains: [Chain("in", Self.input)])
            let error = #expect(throws: NftablesError.self) { try socket.apply(ruleset) }
            #expect(error == .owned(table: "ours", port: port))
            let removal = #expect(throws: NftablesError.self) { try socket.remove(Table("ours")) }
            #expect(removal == .owned(table: "ours", port: port))
            try socket.apply(Ruleset(Table("free")))
        }
    }

    private static let marked = Table("ours", mark: "made by us")

    @Test(arguments: ["", "comment \"made by them\";", "flags dormant;"])
    func `a table without our mark is another's, and stays as it is`(words: String) throws {
        try PrivateNetwork.run {
            _ = try Nft.run("-f -", input: "table inet ours { \(words) chain theirs { drop; }; }\n")
            let before = try Nft.run("-a list ruleset")
            var socket = try NftablesSocket()
            let ruleset = Ruleset(Self.marked, chains: [Chain("in", Self.input)])
            let error = #expect(throws: NftablesError.self) { try socket.apply(ruleset) }
            #expect(error == .foreign(table: "ours"))
            let removal = #expect(throws: NftablesError.self) { try socket.remove(Self.marked) }
            #expect(removal == .foreign(table: "ours"))
            #expect(try Nft.run("-a list ruleset") == before)
        }
    }

    @Test(arguments: [false, true])
    func `our mark stays with the table when it changes, sleeps, or is loaded again by nft`(isAsleep: Bool) throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            try socket.apply(Ruleset(Self.marked, chains: [Chain("a"), Chain("in", Self.input)]))
            #expect(try socket.read(Self.marked).comment == "made by us")
            var saved = try Nft.run("list ruleset")
            if isAsleep { saved = saved.replacing("{\n\tcomment", with: "{\n\tflags dormant\n\tcomment") }
            _ = try Nft.run("-f -", input: "flush ruleset\n" + saved)
            #expect(try socket.read(Self.marked).isDormant == isAsleep)
            for name in ["b", "c"] {
                try socket.apply(Ruleset(Self.marked, chains: [Chain(name)]))
                #expect(try socket.read(Self.marked).chains.map(\.name) == [name])
                #expect(try socket.read(Self.marked).comment == "made by us")
            }
            try socket.remove(Self.marked)
            #expect(try socket.read(Self.marked).exists == false)
        }
    }

    @Test(
        arguments: [
            "add rule inet ours in drop", "insert rule inet ours a accept", "flush chain inet ours in",
            "add element inet ours s { 192.0.2.1 }", "delete element inet ours s { 10.0.0.0/8 }",
            "add counter inet ours d", "add chain inet ours b", "add chain inet ours in { policy drop; }",
            "add set inet ours t { type ipv4_addr; }", "add limit inet ours l { rate 1/second; }",
            "add table inet ours { flags dormant; }", "delete table inet ours", "flush ruleset",
        ])
    func `what others change in the table is noticed`(command: String) throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            let generation = try socket.apply(Self.watched)
            let made = try socket.read(Self.watched.table)
            #expect(made.generation == generation)
            let listing = try Nft.listing("ours")
            _ = try Nft.run("-f -", input: command + "\n")
            #expect(try socket.read(Self.watched.table).isUnchanged(since: made) == false)
            try socket.apply(Self.watched)
            #expect(try Nft.listing("ours") == listing)
        }
    }

    /// A table that was saved and loaded is another one: nobody can say what came between.
    @Test func `what others change elsewhere, and what is counted, is not taken for a change`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            try socket.apply(Self.watched)
            let made = try socket.read(Self.watched.table)
            let commands = """
                table inet theirs { chain in { type filter hook input priority 0; drop; }; }
                table ip ours { chain a { drop; }; }
                reset counter inet ours c
                """
            _ = try Nft.run("-f -", input: commands + "\n")
            let now = try socket.read(Self.watched.table)
            #expect(now.generation != made.generation)
            #expect(now.isUnchanged(since: made))
            let saved = try Nft.run("list table inet ours")
            _ = try Nft.run("-f -", input: "delete table inet ours\n" + saved)
            #expect(try socket.read(Self.watched.table).isUnchanged(since: made) == false)
        }
    }

    private static let watched = Ruleset(
        Table("ours"), sets: [SetDefinition("s", PrefixSet(.v4, [.literal("10.0.0.0/8")]))],
        chains: [
            Chain("a", rules: [Rule([], counter: "c", [.drop])]),
            Chain("in", input, rules: [Rule([.member([.sourceV4], of: "s")], [.jump("a")])]),
        ])
}
