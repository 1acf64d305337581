import Configuration
import Pipeline
import Router
import Testing

@Suite struct MappingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let netmap: String
        let allowed: String
        let report: String

        init(_ name: String, _ netmap: String, allowed: String = "[10.99.1.0/24]", _ report: String) {
            testDescription = name
            self.netmap = netmap
            self.allowed = allowed
            self.report = report
        }
    }

    /// A file whose line 9 is the peer's allowed-ips, and line 10 its netmap.
    private static func file(_ netmap: String, allowed: String) -> String {
        """
        fullbore: 1
        pipeline: [tun, allowed-ips, netmap, wireguard, udp]
        interfaces:
          wg0:
            private-key: { file: k }
            peers:
              berlin:
                public-key: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=
                allowed-ips: \(allowed)
                netmap: \(netmap)

        """
    }

    /// What a user gets to see of it, without the lines that quote the file.
    private static func report(_ text: String) -> String {
        let source = SourceText(file: "router.yaml", bytes: Array(text.utf8))
        let report: String
        do throws(ConfigurationReport) {
            report = try ConfigurationFile.load(source, stages: StageRegistry.schemas).warnings.description
        } catch {
            report = error.description
        }
        return report.split(separator: "\n").filter { $0.hasPrefix("router.yaml:") }.joined(separator: "\n")
    }

    static let cases = [
        Case("one mapping", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", ""),
        Case(
            "several",
            "{ map: [ { theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }, { theirs: 10.1.0.0/16, ours: 10.2.0.0/16 } ] }",
            allowed: "[10.99.1.0/24, 10.2.0.0/16, 10.80.0.2/32]", ""),
        Case(
            "a part of it is allowed", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", allowed: "[10.99.1.7/32]", ""),
        Case("all is allowed", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", allowed: "[0.0.0.0/0]", ""),
        Case(
            "two that trade",
            "{ map: [ { theirs: 10.1.0.0/16, ours: 10.2.0.0/16 }, { theirs: 10.2.0.0/16, ours: 10.1.0.0/16 } ] }",
            allowed: "[10.1.0.0/16, 10.2.0.0/16]", ""),
        Case(
            "half of one", "{ theirs: 192.168.1.0/24 }",
            "router.yaml:10:17: 'ours' is missing in the options of netmap"),
        Case(
            "an unknown key", "{ their: 192.168.1.0/24, ours: 10.99.1.0/24 }",
            """
            router.yaml:10:17: 'theirs' is missing in the options of netmap
            router.yaml:10:19: unknown key 'their' (did you mean 'theirs'?)
            """),
        Case(
            "both forms", "{ ours: 10.99.1.0/24, map: [ { theirs: 192.168.1.0/24, ours: 10.99.1.0/24 } ] }",
            "router.yaml:10:19: 'ours' stands beside 'map': put it into the list"),
        Case(
            "none at all", "{ map: [] }", "router.yaml:10:24: there are no mappings here"),
        Case(
            "different lengths", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/25 }",
            "router.yaml:10:49: 10.99.1.0/25 has another length than 192.168.1.0/24: each address stands for one"),
        Case(
            "mixed families", "{ theirs: 192.168.1.0/24, ours: \"fd00::/24\" }",
            "router.yaml:10:49: fd00::/24 is of another family than 192.168.1.0/24"),
        Case(
            "the same twice", "{ theirs: 10.99.1.0/24, ours: 10.99.1.0/24 }",
            "router.yaml:10:47: 10.99.1.0/24 is what it is called there already: nothing would be translated"),
        Case(
            "host bits", "{ theirs: 192.168.1.1/24, ours: 10.99.1.1/24 }",
            """
            router.yaml:10:27: warning: '192.168.1.1/24' has host bits set and is taken as 192.168.1.0/24
            router.yaml:10:49: warning: '10.99.1.1/24' has host bits set and is taken as 10.99.1.0/24
            """),
        Case(
            "overlaps",
            "{ map: [ { theirs: 192.168.0.0/16, ours: 10.99.0.0/16 }, { theirs: 192.168.1.0/24, ours: 10.99.1.0/24 } ] }",
            """
            router.yaml:10:84: 192.168.1.0/24 overlaps 192.168.0.0/16 on line 10
            router.yaml:10:106: 10.99.1.0/24 overlaps 10.99.0.0/16 on line 10
            """),
        Case(
            "ours is not allowed", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", allowed: "[10.99.2.0/24]",
            "router.yaml:10:49: 10.99.1.0/24 is not in the allowed-ips of peer 'berlin', so nothing could pass"),
        Case(
            "theirs is allowed instead", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", allowed: "[192.168.1.0/24]",
            """
            router.yaml:9:23: warning: nothing can pass by 192.168.1.0/24: what comes from there is called 10.99.1.0/24 (line 10)
            router.yaml:10:49: 10.99.1.0/24 is not in the allowed-ips of peer 'berlin', so nothing could pass
            """),
        Case(
            "theirs is allowed too", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }",
            allowed: "[10.99.1.0/24, 192.168.1.7/32]",
            "router.yaml:9:37: warning: nothing can pass by 192.168.1.7/32: what comes from there is called 10.99.1.0/24 (line 10)"
        ),
        Case(
            "an allowed-ip that cannot be read has one error", "{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }",
            allowed: "[10.99.1.0/33]",
            "router.yaml:9:23: expected a prefix such as 10.0.0.0/24 or fd00::/64, found '10.99.1.0/33': the length is a number from 0 to 32"
        ),
    ]

    @Test(arguments: cases) func `what does not go together is told`(_ test: Case) {
        #expect(Self.report(Self.file(test.netmap, allowed: test.allowed)) == test.report)
    }

    @Test func `there is a bound`() {
        func list(_ count: Int) -> String {
            let mappings = (0..<count).map { "{ theirs: 192.168.\($0).0/24, ours: 10.99.\($0).0/24 }" }
            return "{ map: [\(mappings.joined(separator: ", "))] }"
        }
        #expect(Self.report(Self.file(list(16), allowed: "[10.99.0.0/16]")) == "")
        #expect(
            Self.report(Self.file(list(17), allowed: "[10.99.0.0/16]")) == "router.yaml:10:24: more than 16 mappings")
    }

    @Test(arguments: [
        ("[tun, netmap, allowed-ips, wireguard, udp]", 17, "netmap needs the packet's peer: put it below allowed-ips"),
        (
            "[tun, allowed-ips, wireguard, netmap, udp]", 41,
            "netmap needs the packet in plaintext and the packet's peer: put it above wireguard"
        ),
    ])
    func `it has its place between allowed-ips and wireguard`(_ pipeline: String, _ column: Int, _ problem: String) {
        let text = Self.file("{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", allowed: "[10.99.1.0/24]")
            .replacing("[tun, allowed-ips, netmap, wireguard, udp]", with: pipeline)
        #expect(Self.report(text) == "router.yaml:2:\(column): \(problem)")
    }

    @Test func `options of the stage itself are refused`() {
        let text = Self.file("{ theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }", allowed: "[10.99.1.0/24]")
            .replacing("netmap, wireguard", with: "netmap: { theirs: 192.168.1.0/24 }, wireguard")
        #expect(Self.report(text) == "router.yaml:2:38: netmap takes no options")
    }
}
