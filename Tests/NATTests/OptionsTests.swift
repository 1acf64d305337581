import NAT
import StageTestKit
import Testing

/// What is to be translated may be, and to the letter what is said of the rest.
struct TranslationOptionsTests {
    static let router = RouterText([NAT.schema])

    static func file(_ lines: [String]) -> String {
        RouterText.file((["  - nat:"] + lines.map { "      \($0)" }).joined(separator: "\n"))
    }

    static func findings(_ lines: String...) -> [String] { router.findings(file(lines)) }

    @Test func `the example of the manual is good`() {
        #expect(
            Self.findings(
                "masquerade: [ { to: wan, from: lan } ]", "forwards:",
                "  - { name: web, from: wan, port: tcp/443, to: \"10.0.10.5:8443\", hairpin: true }",
                "one-to-one: [ { outside: 203.0.113.9, inside: 10.0.10.9, zone: wan } ]") == [])
    }

    @Test func `an outer address that peers of tunnels would see too is a warning, unless it is meant`() {
        let warning =
            "4:32: warning: 10.0.10.9 is 203.0.113.9 everywhere, for peers of tunnels too: say where outside is (zone: wan), or that this is meant (zone: any)"
        #expect(Self.findings("one-to-one: [ { outside: 203.0.113.9, inside: 10.0.10.9 } ]") == [warning])
        for zone in ["wan", "any", "alice"] {
            #expect(
                Self.findings("one-to-one: [ { outside: 203.0.113.9, inside: 10.0.10.9, zone: \(zone) } ]") == [])
        }
    }

    @Test(
        "A translation that cannot be is an error",
        arguments: [
            ("masquerade: [ { to: wna } ]", "4:27: no zone or peer 'wna' (did you mean 'wan'?)"),
            ("masquerade: [ { to: self } ]", "4:27: 'self' cannot stand here"),
            ("masquerade: [ { from: lan } ]", "4:21: 'to' is missing in this mapping"),
            ("forwards: [ { from: wan, port: tcp, to: 10.0.10.5 } ]", "4:38: a forward is of ports, as in tcp/443"),
            (
                "forwards: [ { from: wan, port: tcp/80-90, to: \"10.0.10.5:80\" } ]",
                "4:53: several ports cannot become one: leave the port out, and they stay"
            ),
            (
                "forwards: [ { from: wan, port: udp/51820, to: 10.0.10.5 } ]",
                "4:38: 'wg0' listens on UDP port 51820, and would hear nothing"
            ),
            (
                "forwards: [ { from: wan, port: tcp/80, to: web } ]",
                "4:50: expected an address, with a port where that changes: 10.0.10.5:8443 or [fd00::5]:443, found 'web'"
            ),
            (
                "forwards: [ { from: wan, port: tcp/80, to: 10.0.10.5, address: \"2001:db8::1\" } ]",
                "4:50: 2001:db8::1 and 10.0.10.5 are of two families"
            ),
            (
                "forwards: [ { name: my web, from: wan, port: tcp/80, to: 10.0.10.5 } ]",
                "4:27: a forward's name is 1 to 63 letters, digits, '.', '_' and '-'"
            ),
            (
                "forwards: [ { from: any, port: tcp/80, to: 10.0.10.5, hairpin: true } ]",
                "4:27: with hairpin, 'from' says who is outside: 'any' leaves nobody inside"
            ),
            (
                "one-to-one: [ { outside: 203.0.113.9, inside: \"fd00::9\" } ]",
                "4:53: 203.0.113.9 and fd00::9 are of two families"
            ),
            (
                "one-to-one: [ { outside: 203.0.113.0/28, inside: 10.0.10.0/24 } ]",
                "4:56: 203.0.113.0/28 and 10.0.10.0/24 are not of one size"
            ),
            (
                "one-to-one: [ { outside: 203.0.113.9, inside: 203.0.113.9 } ]",
                "4:53: an address cannot stand for itself"
            ),
        ])
    func wrong(_ line: String, _ finding: String) {
        #expect(Self.findings(line) == [finding])
    }

    private static func two(_ first: String, _ second: String) -> [String] {
        findings("forwards:", "  - { \(first) }", "  - { \(second) }")
    }

    @Test func `forwards that overlap are errors with both lines`() {
        #expect(
            Self.two("from: wan, port: tcp/443, to: 10.0.10.5", "from: any, port: \"tcp/80,400-500\", to: 10.0.10.6")
                == ["6:30: tcp/80,400-500 is forwarded to 10.0.10.5 on line 5 already"])
        #expect(
            Self.two("from: vpn, port: tcp/443, to: 10.0.10.5", "from: alice, port: tcp/443, to: 10.0.10.6")
                == ["6:32: tcp/443 is forwarded to 10.0.10.5 on line 5 already"])
        #expect(
            Self.two("from: wan, port: tcp/1, to: 10.0.10.5, name: a", "from: wan, port: tcp/2, to: 10.0.10.5, name: a")
                == ["6:58: forward 'a' is on line 5 already"])
        #expect(
            Self.findings(
                "one-to-one:", "  - { outside: 203.0.113.0/28, inside: 10.0.10.0/28, zone: wan }",
                "  - { outside: 203.0.113.9, inside: 10.0.11.9, zone: wan }")
                == ["6:22: 203.0.113.9 overlaps 203.0.113.0/28 on line 5"])
    }

    @Test func `forwards of other protocols, families, zones or addresses stand beside each other`() {
        #expect(Self.two("from: wan, port: tcp/443, to: 10.0.10.5", "from: wan, port: udp/443, to: 10.0.10.6") == [])
        #expect(Self.two("from: wan, port: tcp/443, to: 10.0.10.5", "from: wan, port: tcp/443, to: fd10::5") == [])
        #expect(Self.two("from: wan, port: tcp/443, to: 10.0.10.5", "from: lan, port: tcp/443, to: 10.0.10.6") == [])
        #expect(
            Self.two(
                "from: wan, port: tcp/1, to: 10.0.10.5, address: 203.0.113.1",
                "from: wan, port: tcp/1, to: 10.0.10.6, address: 203.0.113.2") == [])
    }
}
