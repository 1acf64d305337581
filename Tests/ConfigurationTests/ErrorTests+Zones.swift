/// What zones cannot be.
extension ErrorTests {
    /// A file whose line 2 is `line`, with tunnels wg0 (peers alice, bob) and wg1 (peer bob).
    private static func file(_ line: String) -> String {
        """
        fullbore: 1
        \(line)
        interfaces:
          wg0:
            private-key: { file: k }
            peers:
              alice: { public-key: \(key1), allowed-ips: [10.80.0.2] }
              bob: { public-key: \(key2), allowed-ips: [10.80.0.3] }
          wg1:
            private-key: { file: k }
            peers:
              bob: { public-key: \(key2), allowed-ips: [10.81.0.3] }

        """
    }

    private static func zones(_ name: String, _ zones: String, _ errors: (column: Int, message: String)...) -> Case {
        let line = "zones: { \(zones) }"
        let report = errors.map { error in
            "router.yaml:2:\(error.column): \(error.message)\n\(line)\n"
                + String(repeating: " ", count: error.column - 1) + "^"
        }
        return Case(name, file(line), report.joined(separator: "\n"))
    }

    static let zones = [
        zones(
            "zones that are good",
            "wan: { interfaces: [eth0] }, lan: { interfaces: [\"br-*\"] }, vpn: { tunnels: [wg0] }, a: { peers: [alice, wg1/bob] }"
        ),
        zones(
            "a zone with a reserved name", "self: { tunnels: [wg0] }",
            (10, "a zone cannot be called 'self', which means something else")),
        zones(
            "a zone called like a peer", "alice: { tunnels: [wg0] }",
            (10, "zone 'alice' has the name of peer 'wg0/alice'")),
        zones(
            "a tunnel that there is not", "vpn: { tunnels: [wg2] }",
            (27, "no tunnel 'wg2' in this file (did you mean 'wg0'?)")),
        zones(
            "a peer that there is not", "a: { peers: [alicia] }", (23, "no peer 'alicia' (did you mean 'alice'?)")),
        zones("a peer that may be two", "a: { peers: [bob] }", (23, "which peer 'bob'? There are wg0/bob, wg1/bob")),
        zones(
            "a peer that is listed twice", "a: { peers: [alice, wg0/alice] }",
            (30, "peer 'wg0/alice' is listed on line 2 already")),
        zones(
            "an interface in two zones", "a: { interfaces: [eth0] }, b: { interfaces: [eth0] }",
            (55, "'eth0' is in zone 'a' on line 2 already")),
        zones(
            "a pattern over another zone's tunnel", "a: { tunnels: [wg1] }, b: { interfaces: [\"wg*\"] }",
            (51, "'wg*' overlaps 'wg1', which is in zone 'a' on line 2 already")),
        zones(
            "what no interface is called", "a: { interfaces: [\"*\"] }",
            (28, "expected an interface such as eth0, or br-* for all that begin so, found the quoted text \"*\"")),
        zones(
            "a zone with nothing in it", "a: {}", (13, "nothing is in this zone: it takes interfaces, tunnels or peers")
        ),
        zones(
            "a zone with an unknown key", "a: { peer: [alice] }",
            (13, "nothing is in this zone: it takes interfaces, tunnels or peers"),
            (15, "unknown key 'peer' (did you mean 'peers'?)")),
        Case(
            "tests without a firewall", file("tests: [{ expect: deny, from: self, to: 10.0.0.1 }]"),
            """
            router.yaml:2:9: 'tests' are about a firewall, and there is none in the pipeline
            tests: [{ expect: deny, from: self, to: 10.0.0.1 }]
                    ^
            """),
    ]
}
