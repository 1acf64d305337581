import Firewall
import Foundation
import HostStages
import NAT
import Nftables
import Pipeline
import StageTestKit
import Testing

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
}
