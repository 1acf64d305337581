import Pipeline
import Testing

@testable import Configuration

/// Groups of peers: what is wrong with them, and what they come to.
struct GroupErrorTests {
    /// Peers berlin and paris of wg0, and another paris of wg1; the groups begin on line 2.
    private static func file(_ groups: String) -> String {
        """
        fullbore: 1
        groups:
          \(groups)
        pipeline: [tun, allowed-ips, rate-limit, wireguard, udp]
        interfaces:
          wg0:
            private-key: { file: k }
            peers:
              berlin: { public-key: "\(Fixtures.keys[0])" }
              paris: { public-key: "\(Fixtures.keys[1])" }
          wg1:
            private-key: { file: k }
            peers:
              paris: { public-key: "\(Fixtures.keys[2])" }

        """
    }

    @Test(arguments: [
        ("guests: { peers: [berlim] }", "3:21: there is no peer 'berlim' (did you mean 'berlin'?)"),
        ("guests: { peers: [wg1/berlin] }", "3:21: there is no peer 'wg1/berlin' (did you mean 'wg0/berlin'?)"),
        (
            "guests: { peers: [paris] }",
            "3:21: there is a peer 'paris' on several interfaces: write wg0/paris or wg1/paris"
        ),
        ("guests: { peers: [berlin, wg0/berlin] }", "3:29: peer 'wg0/berlin' is listed twice"),
        (
            "{ guests: { peers: [berlin] }, staff: { peers: [wg1/paris, berlin] } }",
            "3:62: peer 'berlin' is in group 'guests' on line 3"
        ),
        ("guests: { peers: [] }", "3:20: a group has at least one peer"),
        ("guests: { rate-limit: { down: 1mbit, up: 1mbit } }", "3:11: 'peers' is missing in group 'guests'"),
        ("guests: { peers: berlin }", "3:20: expected a list, found 'berlin': a list stands in [ ]"),
        (
            "guests: { peers: [berlin], rate-limits: {} }",
            "3:30: unknown key 'rate-limits' (did you mean 'rate-limit'?)"
        ),
        ("guests: { peers: [berlin], wireguard: {} }", "3:30: wireguard takes no options for a group"),
        ("guests: { peers: [berlin], rate-limit: { down: 5 } }", "3:50: bare number '5' where a unit is due"),
        ("guests: ", "3:3: group 'guests' has nothing under it"),
        ("-x: { peers: [berlin] }", "3:3: '-x' cannot be a name"),
    ])
    func `what is wrong with a group is said where it stands`(_ groups: String, _ expected: String) {
        let report = Fixtures.report(Self.file(groups))
        #expect(report.contains("router.yaml:\(expected)"), "\(report)")
    }

    @Test func `a stage that is not in the pipeline is named`() {
        let text = Self.file("guests: { peers: [berlin], rate-limit: { down: 1mbit, up: 1mbit } }")
            .replacing("pipeline: [tun, allowed-ips, rate-limit, wireguard, udp]", with: "")
        let report = Fixtures.report(text)
        #expect(report.contains("rate-limit is not in the pipeline: add it there, or leave this out"), "\(report)")
    }

    @Test func `a peer with an error elsewhere is no unknown peer`() {
        let text = Self.file("guests: { peers: [berlin] }")
            .replacing("berlin: { public-key: \"\(Fixtures.keys[0])\" }", with: "berlin: { allowed-ips: [] }")
        let report = Fixtures.report(text)
        #expect(report.contains("'public-key' is missing") && !report.contains("there is no peer"), "\(report)")
    }

    @Test func `groups have their peers and options in the order of the file`() throws {
        let text = Self.file(
            "{ staff: { peers: [wg1/paris] }, guests: { peers: [wg0/paris, berlin], "
                + "rate-limit: { down: 20mbit, up: 5mbit } } }")
        let groups = try Fixtures.load(text).get().configuration.groups
        #expect(groups.map(\.name.value) == ["staff", "guests"])
        #expect(groups[0].peers == [PeerReference(interface: "wg1", name: "paris")])
        #expect(
            groups[1].peers == [
                PeerReference(interface: "wg0", name: "paris"), PeerReference(interface: "wg0", name: "berlin"),
            ])
        #expect(groups[0].stageOptions.isEmpty)
        let limit = Fixtures.RateLimit(
            down: BitRate(bitsPerSecond: 20_000_000), up: BitRate(bitsPerSecond: 5_000_000))
        #expect(groups[1].stageOptions["rate-limit"]?.isEqual(to: limit) == true)
    }
}
