import Glibc
import Linux
import Support
import Testing
import Wire

@testable import Nftables

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct TransactionTests {
    private static let input = Chain.Base(hook: .input, priority: .filter)
    private static let output = Chain.Base(hook: .output, priority: .filter)

    @Test func `what has been applied is read back`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            let table = Table("ours")
            #expect(try socket.read(table).exists == false)
            let before = try socket.generation()
            let ruleset = Ruleset(
                table, sets: [SetDefinition("s", PrefixSet(.v4, [.literal("10.0.0.0/8")]))],
                chains: [
                    Chain("a", rules: [Rule([], counter: "c", [.drop], comment: "router.yaml:3")]),
                    Chain(
                        "b", Chain.Base(hook: .forward, priority: .mangle - 1, policy: .drop),
                        rules: [
                            Rule([.member([.sourceV4], of: "s")], [.accept], comment: "router.yaml:4"),
                            Rule([], [.jump("a")]),
                        ]),
                ])
            let generation = try socket.apply(ruleset)
            #expect(generation == before + 1)
            #expect(try socket.generation() == generation)
            let contents = try socket.read(table)
            #expect(contents.generation == generation && contents.exists && contents.owner == nil)
            #expect(contents.chains.map(\.name) == ["a", "b"])
            #expect(contents.chains.map(\.base) == ruleset.chains.map(\.base))
            #expect(contents.rules.map(\.comment) == ["router.yaml:3", "router.yaml:4", ""])
            #expect(contents.rules.map(\.chain) == ["a", "b", "b"])
            #expect(Set(contents.rules.map(\.handle)).count == 3)
            #expect(contents.counters == ["c": CounterValue()])
            #expect(contents.elementCounts == ["s": 1])
            try socket.remove(table)
            #expect(try socket.read(table).exists == false)
            try socket.remove(table)
        }
    }

    /// What every change keeps or replaces, from any ruleset to any other.
    @Test func `from any ruleset to any other, the table is as if it had begun with it`() throws {
        try PrivateNetwork.run {
            var random = SeededGenerator(seed: 4)
            var changed = try NftablesSocket()
            var fresh = try NftablesSocket()
            for turn in 0..<60 {
                let ruleset = RandomRuleset.make(&random)
                do {
                    try changed.apply(ruleset(Table("changed")))
                    try fresh.remove(Table("fresh"))
                    try fresh.apply(ruleset(Table("fresh")))
                } catch {
                    Issue.record("turn \(turn): \(error)\n\(ruleset(Table("t")))")
                    throw error
                }
                let (a, b) = (try changed.read(Table("changed")), try fresh.read(Table("fresh")))
                #expect(Set(a.sets) == Set(b.sets), "turn \(turn)")
                #expect(a.counters == b.counters, "turn \(turn)")
                #expect(Set(a.chains.map(\.name)) == Set(b.chains.map(\.name)), "turn \(turn)")
                for chain in a.chains {
                    #expect(b.chains.first { $0.name == chain.name }?.base == chain.base, "turn \(turn)")
                    #expect(
                        a.rules.filter { $0.chain == chain.name }.map(\.comment)
                            == b.rules.filter { $0.chain == chain.name }.map(\.comment), "turn \(turn)")
                }
            }
        }
    }

    @Test func `counters that are wanted before and after keep what they have counted`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            func ruleset(_ port: UInt16, _ counters: [String]) -> Ruleset {
                let rules = counters.map {
                    Rule([.destinationPorts(.udp, PortSet(port))], counter: $0, [.verdict(.continue)])
                }
                return Ruleset(Table("ours"), chains: [Chain("out", Self.output, rules: rules)])
            }
            try socket.apply(ruleset(9, ["kept", "gone"]))
            try Self.sendToLoopback(port: 9, count: 3)
            #expect(try socket.counters(of: Table("ours"))["kept"] == CounterValue(packets: 3, bytes: 3 * 29))
            try socket.apply(ruleset(10, ["new", "kept"]))
            #expect(
                try socket.counters(of: Table("ours")) == [
                    "kept": CounterValue(packets: 3, bytes: 3 * 29), "new": CounterValue(),
                ])
            try Self.sendToLoopback(port: 9, count: 5)
            try Self.sendToLoopback(port: 10, count: 2)
            #expect(
                try socket.counters(of: Table("ours")) == [
                    "kept": CounterValue(packets: 5, bytes: 5 * 29), "new": CounterValue(packets: 2, bytes: 2 * 29),
                ])
        }
    }

    @Test func `twenty thousand rules are one transaction`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            let rules = (0..<20_000).map { index in
                // The kernel looks sets without a name up one by one: some hundred of them are enough.
                Rule(
                    [
                        .input("eth\(index % 7)"), .source(Prefix(host: IPAddress(v4: UInt32(0x0a00_0000 + index)))),
                        .destinationPorts(.tcp, PortSet([index % 100 == 0 ? 443...443 : 8000...8001, 8000...8999])),
                    ], counter: "r\(index)", [.accept], comment: "router.yaml:\(index)")
            }
            let before = try socket.generation()
            let ruleset = Ruleset(Table("ours"), chains: [Chain("in", Self.input, rules: rules)])
            try socket.apply(ruleset)
            #expect(try socket.generation() == before + 1)
            let contents = try socket.read(Table("ours"))
            #expect(contents.rules.count == 20_000 && contents.counters.count == 20_000)
            #expect(contents.rules.last?.comment == "router.yaml:19999")
            try socket.apply(ruleset)
            #expect(try socket.read(Table("ours")).rules.map(\.comment) == contents.rules.map(\.comment))
        }
    }

    @Test func `twenty thousand elements are one transaction, and their difference too`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            func ruleset(_ range: Range<UInt32>) -> Ruleset {
                let prefixes = range.map { Prefix(host: IPAddress(v4: $0 * 2)) }
                return Ruleset(Table("ours"), sets: [SetDefinition("s", PrefixSet(.v4, prefixes))])
            }
            try socket.apply(ruleset(1..<20_001))
            let first = try socket.read(Table("ours"))
            #expect(first.elementCounts == ["s": 20_000])
            let plan = try TablePlan(from: first, to: ruleset(2..<20_002))
            #expect(plan.steps.count == 3, "no rules, one element less and one more: \(plan.steps.count)")
            try socket.apply(ruleset(2..<20_002))
            #expect(try socket.read(Table("ours")).elementCounts == ["s": 20_000])
        }
    }

    @Test func `a refused rule is named, with the kernel's words, and nothing has changed`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            let good = Rule([], counter: "c", [.accept], comment: "router.yaml:1")
            try socket.apply(Ruleset(Table("ours"), chains: [Chain("in", Self.input, rules: [good])]))
            let before = try socket.read(Table("ours"))
            let rules = [
                Rule([], counter: "other", [.drop], comment: "router.yaml:2"),
                Rule([.member([.sourceV4], of: "nowhere")], [.drop], comment: "router.yaml:31"),
                Rule([], [.drop], comment: "router.yaml:32"), Rule([], [.jump("nowhere")]),
            ]
            let ruleset = Ruleset(Table("ours"), chains: [Chain("in", Self.input, rules: rules)])
            let error = #expect(throws: NftablesError.self) { try socket.apply(ruleset) }
            guard case .refused(let refusals) = error else { throw try #require(error) }
            #expect(
                refusals.map(\.origin) == [
                    .rule(chain: "in", comment: "router.yaml:31", text: "ip saddr @nowhere drop"),
                    .rule(chain: "in", comment: "", text: "jump nowhere"),
                ])
            #expect(refusals.map(\.error.errno.rawValue) == [ENOENT, ENOENT])
            #expect(
                refusals[0].description.hasPrefix(
                    "router.yaml:31: rule `ip saddr @nowhere drop`: the kernel refuses it: No such file or directory"))
            let after = try socket.read(Table("ours"))
            #expect(after.generation == before.generation && after.rules == before.rules)
            #expect(Array(after.counters.keys) == ["c"])
        }
    }

    @Test func `a rehearsal is refused what the change would be, and leaves everything as it is`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            let table = Table("ours")
            let first = Ruleset(
                table, sets: [SetDefinition("s", PrefixSet(.v4, [.literal("10.0.0.0/8")]))],
                chains: [
                    Chain("in", Self.input, rules: [Rule([.member([.sourceV4], of: "s")], counter: "c", [.accept])])
                ])
            try socket.rehearse(first)
            #expect(try socket.read(table).exists == false)
            try socket.apply(first)
            let before = try socket.read(table)

            let second = Ruleset(
                table, sets: [SetDefinition("s", PrefixSet(.v4, [.literal("11.0.0.0/8")]))],
                chains: [
                    Chain("in", Self.output, rules: [Rule([], counter: "d", [.drop])]),
                    Chain("other", rules: [Rule([], [.drop])]),
                ])
            try socket.rehearse(second)
            #expect(try socket.read(table) == before)
            try socket.rehearseRemoval(of: table)
            #expect(try socket.read(table) == before)

            let loop = Ruleset(
                table,
                chains: [
                    Chain("in", Self.input, rules: [Rule([], [.jump("a")])]),
                    Chain("a", rules: [Rule([], [.jump("b")])]), Chain("b", rules: [Rule([], [.jump("a")])]),
                ])
            for bad in [loop, Ruleset(table, chains: [Chain("in", Self.input, rules: [Rule([], [.jump("nowhere")])])])]
            {
                let rehearsed = #expect(throws: NftablesError.self) { try socket.rehearse(bad) }
                #expect(try socket.read(table) == before)
                let applied = #expect(throws: NftablesError.self) { try socket.apply(bad) }
                #expect(rehearsed == applied)
            }
            #expect(try socket.read(table) == before)
            try socket.apply(second)
            #expect(Array(try socket.read(table).counters.keys) == ["d"])
        }
    }

    @Test func `thousands of refusals do not lose the first`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            let rules = (0..<20_000).map { Rule([], [.jump("nowhere")], comment: "router.yaml:\($0)") }
            let ruleset = Ruleset(Table("ours"), chains: [Chain("in", Self.input, rules: rules)])
            let error = #expect(throws: NftablesError.self) { try socket.apply(ruleset) }
            guard case .refused(let refusals) = error else { throw try #require(error) }
            #expect(refusals.count == NftablesError.refusalLimit)
            #expect(refusals.first?.origin == .rule(chain: "in", comment: "router.yaml:0", text: "jump nowhere"))
            #expect(try socket.read(Table("ours")).exists == false)
            try socket.apply(Ruleset(Table("ours")))
        }
    }

    @Test func `what has been read before others changed something is not written over`() throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            var other = try NftablesSocket()
            let ruleset = Ruleset(Table("ours"), chains: [Chain("in", Self.input)])
            let contents = try socket.read(Table("ours"))
            var batch = try socket.write(TablePlan(from: contents, to: ruleset), ruleset.table)
            let generation = try other.apply(Ruleset(Table("other"), chains: [Chain("in", Self.input)]))
            let error = #expect(throws: NftablesError.self) {
                try socket.send(&batch, ruleset.table, over: contents.generation)
            }
            #expect(error == .generationChanged)
            #expect(try socket.read(Table("ours")).exists == false)
            // What was written is good for any generation, as long as the table itself is as it was.
            #expect(try socket.send(&batch, ruleset.table, over: generation) == generation + 1)
            #expect(try socket.read(Table("ours")).exists)
        }
    }

    /// Each of the two gives way to the other, and neither undoes what the other does.
    @Test func `two that change their tables at once both get their way`() throws {
        try PrivateNetwork.run {
            let outcome = Outcome()
            let thread = try Thread(name: "other") { [here = try NetworkNamespace()] in
                do {
                    try here.enter()
                    try Self.change(Table("other"), times: 100)
                } catch {
                    outcome.error = error
                }
            }
            try Self.change(Table("ours"), times: 100)
            thread.join()
            if let error = outcome.error { throw error }
            var socket = try NftablesSocket()
            #expect(try socket.read(Table("other")).rules.count == 5)
            #expect(try socket.read(Table("ours")).rules.count == 5)
        }
    }

    private static func change(_ table: Table, times: Int) throws {
        var socket = try NftablesSocket()
        for turn in 0..<times {
            let rules = (0...turn % 5).map { Rule([], [.accept], comment: "\(table.name) \(turn) \($0)") }
            let ruleset = Ruleset(table, chains: [Chain("in", input, rules: rules)])
            var isDone = false
            while !isDone {
                do throws(NftablesError) {
                    try socket.apply(ruleset)
                    isDone = true
                } catch {
                    // Past the attempts that one call makes, the other has been faster each time.
                    guard error == .generationChanged else { throw error }
                }
            }
            let comments = try Self.comments(of: table, &socket)
            #expect(comments == rules.map(\.comment))
        }
    }

    private static func comments(of table: Table, _ socket: inout NftablesSocket) throws -> [String] {
        while true {
            do throws(NftablesError) {
                return try socket.read(table).rules.map(\.comment)
            } catch {
                guard error == .generationChanged else { throw error }
            }
        }
    }

    /// Read after the thread has been joined.
    private final class Outcome: @unchecked Sendable { var error: (any Error)? }

    @Test func `without CAP_NET_ADMIN it says so`() throws {
        try PrivateNetwork.run {
            // Of this thread alone, which ends with the test.
            try Capabilities.keepOnly([])
            let error = #expect(throws: NftablesError.self) { _ = try NftablesSocket() }
            #expect(error == .notPermitted)
        }
    }

    private static func sendToLoopback(port: UInt16, count: Int) throws {
        let socket = try FileDescriptor(socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0), "socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        for _ in 0..<count {
            let sent = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe sendto(socket.rawValue, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try Errno.check(sent, "sendto")
        }
    }
}
