import Foundation
import HostStages
import NAT
import Nftables
import Pipeline
import StageTestKit
import Testing

/// The kernel gets exactly this.
struct TranslationRulesetTests {
    private static func ruleset(_ lines: String...) throws -> String {
        let context = try TranslationOptionsTests.router.context(TranslationOptionsTests.file(lines))
        let options = try #require(context.stages.first?.options as? TranslationOptions)
        return Ruleset(router: context.router, [options.intent(in: context)]).description
    }

    @Test func everything() throws {
        let text = try Self.ruleset(
            "masquerade: [ { to: wan, from: [lan, alice] } ]", "forwards:",
            "  - { name: web, from: wan, port: tcp/443, to: \"10.0.10.5:8443\", hairpin: true }",
            "  - { from: wan, port: udp/1000-1010, to: fd10::5 }",
            "one-to-one: [ { outside: 203.0.113.0/28, inside: 10.0.10.0/28, zone: wan } ]")
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/nat.nft")
        let expected = try String(contentsOf: golden, encoding: .utf8)
        for (line, wanted) in zip(text.split(separator: "\n"), expected.split(separator: "\n")) {
            #expect(line == wanted)
        }
        #expect(text == expected)
    }

    @Test func `each counter of a rule is in the listing once`() throws {
        let lines = [
            "masquerade: [ { to: wan, from: [lan, alice] }, { to: alice } ]",
            "forwards: [ { name: web, from: wan, port: tcp/443, to: \"10.0.10.5:8443\", hairpin: true } ]",
            "one-to-one: [ { outside: 203.0.113.0/28, inside: 10.0.10.0/28, zone: wan } ]",
        ]
        let context = try TranslationOptionsTests.router.context(TranslationOptionsTests.file(lines))
        let options = try #require(context.stages.first?.options as? TranslationOptions)
        let intent = options.intent(in: context)
        let listed = intent.listing.map(\.counter)
        #expect(listed.count == Set(listed).count)
        #expect(Set(listed) == Set(intent.chains.flatMap(\.rules).flatMap(\.counterNames)))
        #expect(listed.contains("nat-leaks"))
    }

    @Test func `no rule asks for two families`() throws {
        let text = try Self.ruleset(
            "masquerade: [ { to: alice, from: [10.0.10.0/24, bob] } ]", "forwards:",
            "  - { name: web, from: [alice, wan], port: tcp/443, to: 10.0.10.5 }")
        for line in text.split(separator: "\n") {
            let isOfV6 = line.contains("ip6 ") || line.contains("nfproto ipv6")
            #expect(!(isOfV6 && (line.contains("ip saddr") || line.contains("ip daddr"))), "\(line)")
        }
    }

    @Test func `the tunnels' own datagrams are not mapped with an address of this host`() throws {
        let text = try Self.ruleset("one-to-one: [ { outside: 203.0.113.9, inside: 10.0.10.9 } ]")
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let own = try #require(lines.firstIndex { $0.contains("udp dport 51820") && $0.hasSuffix("return") })
        let mapping = try #require(lines.firstIndex { $0.contains("dnat") })
        #expect(own < mapping)
    }

    @Test func `while a tunnel's port changes, datagrams to both are its own`() throws {
        let lines = ["one-to-one: [ { outside: 203.0.113.9, inside: 10.0.10.9, zone: wan } ]"]
        var context = try TranslationOptionsTests.router.context(TranslationOptionsTests.file(lines))
        let options = try #require(context.stages.first?.options as? TranslationOptions)
        let index = try #require(context.tunnels.firstIndex { $0.name == "wg0" })
        context.tunnels[index].formerPorts = [4444]
        let text = Ruleset(router: context.router, [options.intent(in: context)]).description
        #expect(
            text.split(separator: "\n").contains { $0.contains("udp dport { 4444, 51820 }") && $0.hasSuffix("return") })
    }
}
