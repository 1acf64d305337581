import Firewall
import NAT
import StageTestKit
import Testing

/// What a firewall's options may be, and to the letter what is said of others.
struct FirewallOptionsTests {
    static let router = RouterText([Firewall.schema, NAT.schema])

    /// The findings for a file whose line 4 is the options, and whose line 5 on are `rules`, one a line.
    static func findings(_ options: String = "default: drop", rules: [String] = [], tests: [String] = []) -> [String] {
        let lines =
            ["  - firewall:", "      \(options)"] + (rules.isEmpty ? [] : ["      rules:"])
            + rules.map { "        - \($0)" }
        let rest = tests.isEmpty ? "" : "tests:\n" + tests.map { "  - \($0)" }.joined(separator: "\n") + "\n"
        return router.findings(RouterText.file(lines.joined(separator: "\n"), rest))
    }

    @Test(
        "Rules are found out that name what there is not",
        arguments: [
            ("{ allow: any, from: lna, to: wan }", ["6:31: no zone or peer 'lna' (did you mean 'lan'?)"]),
            (
                "{ allow: any, from: lan, to: [wan, alicia] }",
                ["6:46: no zone or peer 'alicia' (did you mean 'alice'?)"]
            ),
            ("{ allow: shs, from: lan, to: wan }", ["6:20: unknown service 'shs' (did you mean 'ssh'?)"]),
            (
                "{ allow: tcp/70000, from: lan, to: wan }",
                [
                    "6:20: expected a protocol and ports such as tcp/443, udp/4000-4100 or icmp, found 'tcp/70000': a port is a number from 1 to 65535, a range of them 80-90"
                ]
            ),
            (
                "{ allow: icmp/3, from: lan, to: wan }",
                [
                    "6:20: expected a protocol and ports such as tcp/443, udp/4000-4100 or icmp, found 'icmp/3': icmp has no ports"
                ]
            ),
            ("{ allow: any, deny: any, from: lan, to: wan }", ["6:11: a rule has one of allow, deny and reject"]),
            ("{ from: lan, to: wan }", ["6:11: a rule has one of allow, deny and reject"]),
            ("{ allow: any, to: wan }", ["6:11: 'from' is missing in this mapping"]),
            (
                "{ allow: any, from: 10.0.0.0/40, to: wan }",
                [
                    "6:31: expected a zone, a peer, a prefix, self, other or any, found '10.0.0.0/40': the length is a number from 0 to 32"
                ]
            ),
            (
                "{ deny: any, from: lan, to: wan, log: 5/minit }",
                ["6:49: expected a rate such as 5/minute, found '5/minit': the units are second, minute, hour, day"]
            ),
            (
                "{ deny: any, from: lan, to: wan, log: 0/day }",
                ["6:49: expected a rate such as 5/minute, found '0/day': that is from 1 to 10000"]
            ),
            (
                "{ deny: any, from: lan, to: wan, name: 'a b' }",
                ["6:50: a rule's name is 1 to 63 letters, digits, '.', '_' and '-'"]
            ),
            ("{ allow: [], from: lan, to: wan }", ["6:20: an empty list"]),
        ])
    func unknown(_ rule: String, _ findings: [String]) {
        #expect(Self.findings(rules: [rule]) == findings)
    }

    @Test func `options have their choices`() {
        #expect(
            Self.findings("default: dorp") == [
                "4:16: expected one of drop, reject, accept, found 'dorp' (did you mean 'drop'?)"
            ])
        #expect(Self.findings("reverse-path: true") == ["4:21: expected one of strict, loose, off, found 'true'"])
        #expect(Self.findings("services: { ssh: tcp/2222 }") == ["4:19: 'ssh' is a service already"])
        #expect(
            Self.findings(
                "services: { jellyfin: [tcp/8096, udp/1900] }", rules: ["{ allow: jellyfin, from: lan, to: wan }"])
                == [])
    }

    @Test(
        "A rule that can never match is a warning with both lines",
        arguments: [
            (["{ allow: any, from: lan, to: wan }", "{ deny: ssh, from: lan, to: wan }"], 7, 6),
            (["{ allow: any, from: any, to: any }", "{ deny: ssh, from: alice, to: self }"], 7, 6),
            (["{ allow: tcp/1-100, from: vpn, to: lan }", "{ deny: [ssh, tcp/80], from: admins, to: lan }"], 7, 6),
            (["{ deny: any, from: 10.0.0.0/8, to: lan }", "{ allow: any, from: 10.1.0.0/16, to: lan }"], 7, 6),
            (
                [
                    "{ deny: any, from: lan, to: wan }", "{ deny: any, from: vpn, to: wan }",
                    "{ allow: icmp, from: [lan, carol], to: wan }",
                ],
                8, 7
            ),
        ])
    func shadowed(_ rules: [String], _ line: Int, _ earlier: Int) {
        let expected =
            "\(line):11: warning: this rule can never match: the one on line \(earlier) comes first, and takes all of it"
        #expect(Self.findings(rules: rules) == [expected])
    }

    @Test(
        "A rule that may match is no warning",
        arguments: [
            ["{ allow: ssh, from: lan, to: wan }", "{ deny: any, from: lan, to: wan }"],
            ["{ allow: any, from: admins, to: lan }", "{ deny: any, from: vpn, to: lan }"],
            ["{ allow: any, from: alice, to: lan }", "{ deny: any, from: admins, to: lan }"],
            ["{ deny: any, from: lan, to: 10.0.0.0/8 }", "{ allow: any, from: lan, to: vpn }"],
            ["{ deny: any, from: lan, to: wan }", "{ deny: any, from: lan, to: self }"],
        ])
    func notShadowed(_ rules: [String]) {
        #expect(Self.findings(rules: rules) == [])
    }

    @Test func `two rules of one name are an error`() {
        #expect(
            Self.findings(rules: [
                "{ allow: any, from: lan, to: wan, name: a }", "{ allow: any, from: vpn, to: wan, name: a }",
            ])
                == ["7:51: rule 'a' is on line 6 already"])
    }

    private static let policy = [
        "{ allow: any, from: lan, to: wan }", "{ allow: [ssh, icmp], from: admins, to: [lan, self] }",
        "{ deny: any, from: vpn, to: 10.0.10.0/24, name: no-cameras }",
    ]

    @Test(
        "Tests that hold say nothing",
        arguments: [
            "{ expect: deny, from: \"vpn:10.80.3.9\", to: 10.0.10.5, port: tcp/22 }",
            "{ expect: allow, from: alice, to: self, port: tcp/22 }",
            "{ expect: allow, from: 10.80.1.1, to: \"lan:10.0.10.5\", port: icmp }",
            "{ expect: deny, from: alice, to: self, port: tcp/80 }",
            "{ expect: allow, from: \"wan:198.51.100.7\", to: self, port: udp/51820 }",
            "{ expect: allow, from: lan, to: wan }",
            "{ expect: deny, from: wan, to: lan, port: tcp/443 }",
            "{ expect: allow, from: self, to: 192.0.2.1, port: tcp/443 }",
            "{ expect: allow, from: carol, to: alice, port: tcp/443 }",
            "{ expect: deny, from: other, to: self, port: tcp/22 }",
        ])
    func good(_ test: String) {
        #expect(Self.findings(rules: Self.policy, tests: [test]) == [])
    }

    @Test(
        "Tests that do not hold are errors",
        arguments: [
            (
                "{ expect: allow, from: wan, to: lan, port: tcp/22 }",
                "28:5: the test fails: expected allow, but this is dropped by default"
            ),
            (
                "{ expect: deny, from: alice, to: self, port: tcp/22 }",
                "28:5: the test fails: expected deny, but this is allowed by the rule on line 7 (allow ssh, icmp from admins to lan, self)"
            ),
            (
                "{ expect: deny, from: alice, to: 10.1.10.5, port: tcp/22 }",
                "28:5: the test fails: expected deny, but this may be allowed by the rule on line 7 (allow ssh, icmp from admins to lan, self); where it depends on the zone, write it as in lan:10.0.10.5"
            ),
            ("{ expect: deny, from: \"alice:10.9.9.9\", to: self }", "28:27: 10.9.9.9 is no address of 'alice'"),
            ("{ expect: deny, from: any, to: self }", "28:27: a test is about one place"),
            ("{ expect: deny, from: vnp, to: self }", "28:27: no zone or peer 'vnp' (did you mean 'vpn'?)"),
            ("{ expect: maybe, from: vpn, to: self }", "28:15: expected one of allow, deny, found 'maybe'"),
            ("{ expect: deny, from: vpn, to: self, port: tcp/1-2 }", "28:48: a test is about one port"),
        ])
    func bad(_ test: String, _ finding: String) {
        #expect(Self.findings(rules: Self.policy, tests: [test]) == [finding])
    }
}
