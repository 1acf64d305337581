import Firewall
import Foundation
import HostStages
import NAT
import Nftables
import Pipeline
import StageTestKit
import Testing
import Wire

/// The kernel gets exactly this.
struct FirewallRulesetTests {
    private static func ruleset(_ lines: String...) throws -> String {
        let text = RouterText.file((["  - firewall:"] + lines.map { "      \($0)" }).joined(separator: "\n"))
        let context = try RouterText([Firewall.schema, NAT.schema]).context(text)
        let options = try #require(context.stages.first?.options as? FirewallOptions)
        return Ruleset(router: context.router, [options.intent(in: context)]).description
    }

    @Test func everything() throws {
        let text = try Self.ruleset(
            "rules:", "  - { allow: any, from: lan, to: wan }",
            "  - { allow: [ssh, icmp], from: admins, to: [lan, self] }",
            "  - { deny: any, from: vpn, to: 10.0.10.0/24, log: 5/minute, name: no-cameras }",
            "  - { reject: any, from: self, to: other }")
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/firewall.nft")
        let expected = try String(contentsOf: golden, encoding: .utf8)
        for (line, wanted) in zip(text.split(separator: "\n"), expected.split(separator: "\n")) {
            #expect(line == wanted)
        }
        #expect(text == expected)
    }

    @Test func `each counter of a rule is in the listing once`() throws {
        let text = RouterText.file(
            """
              - firewall:
                  rules: [ { allow: ssh, from: lan, to: self }, { reject: any, from: self, to: other } ]
              - nat:
                  forwards: [ { name: web, from: wan, port: tcp/443, to: "10.0.10.5:8443" } ]
            """)
        let context = try RouterText([Firewall.schema, NAT.schema]).context(text)
        let options = try #require(context.stages.first?.options as? FirewallOptions)
        let intent = options.intent(in: context)
        let listed = intent.listing.map(\.counter)
        #expect(listed.count == Set(listed).count)
        #expect(Set(listed) == Set(intent.chains.flatMap(\.rules).flatMap(\.counterNames)))
        #expect(listed.contains("opened-forward-web"))
    }

    @Test func `rules for peers of one family alone ask for no other family`() throws {
        let text = try Self.ruleset("rules: [ { allow: any, from: [alice, bob], to: [carol, 10.0.10.0/24] } ]")
        for line in text.split(separator: "\n") {
            #expect(!(line.contains("ip6 ") && line.contains("ip ")), "\(line)")
        }
    }

    @Test func `a rule goes on for the others when one of its peers has gone`() throws {
        let lines = "  - firewall:\n      rules: [ { deny: any, from: [alice, bob], to: lan } ]"
        var context = try RouterText([Firewall.schema]).context(RouterText.file(lines))
        context.peers.removeAll { $0.name.name == "alice" }
        let options = try #require(context.stages.first?.options as? FirewallOptions)
        #expect(Policy(options, context, Diagnostics()).rules.map(\.from.count) == [1])
    }

    @Test func `places and rules that read alike have names of their own`() {
        let names = [
            KernelName.of("peers", "wg0", "alice+bob", "v4"), KernelName.of("peers", "wg0", "alice-bob", "v4"),
            KernelName.of("peers", "wg0", "alice bob", "v4"), KernelName.of("peers", "wg0", "alice", "bob", "v4"),
            KernelName.of("peers", "wg0-alice", "bob", "v4"), KernelName.of("peers-wg0-alice-bob-v4"),
        ]
        #expect(Set(names).count == names.count, "\(names)")
        #expect(KernelName.of("rule", "web") == "rule-web")
    }
    @Test func `while a peer's prefixes change it is refused by old and new ones, and let through by those of both`()
        throws
    {
        let lines =
            "  - firewall:\n      rules: [ { deny: any, from: carol, to: lan }, { allow: any, from: carol, to: wan } ]"
        var context = try RouterText([Firewall.schema]).context(RouterText.file(lines))
        let options = try #require(context.stages.first?.options as? FirewallOptions)
        let carol = try #require(context.peers.firstIndex { $0.name.name == "carol" })
        var before = context
        before.peers[carol].prefixes += ["10.99.0.0/16"].compactMap { Prefix($0) }
        context.versions = [context, before]
        let text = Ruleset(router: context.router, [options.intent(in: context)]).description
        let refusing = try #require(
            text.split(separator: "\n").first { $0.contains("drop") && $0.contains("ip saddr") })
        #expect(refusing.contains("@peers-wg0-carol-v4.claimed "), "\(refusing)")
        let allowing = try #require(
            text.split(separator: "\n").first { $0.contains("accept") && $0.contains("ip saddr") })
        #expect(allowing.contains("@peers-wg0-carol-v4 "), "\(allowing)")
        #expect(text.contains("10.99.0.0/16"))
    }

    @Test func `while a tunnel's port changes, both are open wherever the one is`() throws {
        let lines = "  - firewall:\n      rules: [ { deny: any, from: self, to: wan } ]"
        var context = try RouterText([Firewall.schema]).context(RouterText.file(lines))
        let options = try #require(context.stages.first?.options as? FirewallOptions)
        let index = try #require(context.tunnels.firstIndex { $0.name == "wg0" })
        func rules(_ port: String) -> [Substring] {
            let text = Ruleset(router: context.router, [options.intent(in: context)]).description
            return text.split(separator: "\n").filter {
                $0.contains("udp dport \(port) ") || $0.contains("udp sport \(port) ")
            }
        }
        let settled = rules("51820")
        // To this host, from it, and its source.
        #expect(settled.count == 3)
        context.tunnels[index].formerPorts = [4444]
        #expect(rules("51820") == [])
        #expect(rules("{ 4444, 51820 }") == settled.map { $0.replacing("51820", with: "{ 4444, 51820 }")[...] })
    }
}
