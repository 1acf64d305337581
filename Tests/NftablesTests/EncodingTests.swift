import Support
import Testing
import Wire

@testable import Nftables

/// Each kind of match and statement, put into the kernel by us and, from our description of it, by nft: what nft then lists
/// is the same, and nft takes its own listing back.
@Suite(.enabled(if: PrivateNetwork.isPossible && Nft.isThere, "\(Nft.need)"))
struct EncodingTests {
    @Test(arguments: Samples.matches)
    func `each match is what nft makes of its description`(match: Match) throws {
        try Self.expectSameFromNft(
            Samples.ruleset([Chain("c", rules: [Rule([match], [.accept]), Rule([!match], [.drop])])]))
    }

    @Test(arguments: Samples.statements)
    func `each statement is what nft makes of its description`(sample: Samples.Sample) throws {
        try Self.expectSameFromNft(Samples.ruleset([Chain("c", sample.base, rules: [sample.rule])]))
    }

    @Test func `dependencies are asked for once, and a comment is kept`() throws {
        let matches: [Match] = [
            .input("eth0"), .source(.literal("10.0.0.0/8")), .destination(.literal("10.1.0.0/16")),
            .sourcePorts(.tcp, PortSet([1024...65535])), .destinationPorts(.tcp, PortSet([22...22, 80...90])),
        ]
        let rule = Rule(matches, counter: "c1", [.accept], comment: "router.yaml:31")
        try Self.expectSameFromNft(Samples.ruleset([Chain("c", rules: [rule])]))
    }

    @Test(arguments: Samples.sets)
    func `each kind of set is what nft makes of its description`(set: SetDefinition) throws {
        try Self.expectSameFromNft(Ruleset(Table("ours"), sets: [set]))
    }

    @Test func `each hook and priority is what nft makes of its description`() throws {
        var chains: [Chain] = []
        for hook in Chain.Hook.allCases {
            chains.append(Chain("filter-\(hook)", Chain.Base(hook: hook, priority: .filter + 10, policy: .drop)))
            chains.append(Chain("raw-\(hook)", Chain.Base(hook: hook, priority: .raw - 1, policy: .accept)))
            if hook != .forward {
                chains.append(Chain("nat-\(hook)", Chain.Base(.nat, hook: hook, priority: .sourceNAT)))
            }
        }
        chains.append(Chain("route", Chain.Base(.route, hook: .output, priority: .mangle)))
        try Self.expectSameFromNft(Ruleset(Table("ours"), chains: chains))
    }

    private static func expectSameFromNft(_ ruleset: Ruleset) throws {
        try PrivateNetwork.run {
            var socket = try NftablesSocket()
            try socket.apply(ruleset)
            var theirs = ruleset
            theirs.table = Table("theirs")
            _ = try Nft.run("-f -", input: theirs.description)
            let ours = try Nft.listing("ours")
            let expected = try Nft.listing("theirs")
            #expect(ours == expected)
            let all = try Nft.run("list ruleset")
            _ = try Nft.run("-c -f -", input: "flush ruleset\n" + all)
            // And what nft has made is read as what we would have made.
            #expect(
                try socket.read(theirs.table).sets.sorted { $0.name < $1.name }
                    == socket.read(ruleset.table).sets.sorted { $0.name < $1.name })
        }
    }
}
