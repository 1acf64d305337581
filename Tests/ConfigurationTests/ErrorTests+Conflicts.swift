/// What does not go together.
extension ErrorTests {
    private static func two(_ first: String, _ second: String) -> String {
        """
        fullbore: 1
        interfaces:
          wg0: { private-key: { file: k }, \(first) }
          wg1: { private-key: { file: k }, \(second) }

        """
    }

    private static func peers(_ first: String, _ second: String) -> String {
        interface("peers:\n      berlin: { \(first) }\n      paris: { \(second) }")
    }

    static let conflicts = [
        Case(
            "two peers with one prefix",
            peers("allowed-ips: [10.0.0.0/24], public-key: \(key1)", "allowed-ips: [10.0.0.0/24], public-key: \(key2)"),
            """
            router.yaml:7:30: peer 'paris' claims 10.0.0.0/24, which peer 'berlin' has on line 6
                  paris: { allowed-ips: [10.0.0.0/24], public-key: ******************************************** }
                                         ^
            """),
        Case(
            "two peers with one prefix in two ways of writing, one of them wrong elsewhere",
            peers("allowed-ips: [\"fd00::/64\"]", "allowed-ips: [\"FD00:0::/64\"], public-key: \(key2)"),
            """
            router.yaml:6:15: 'public-key' is missing in peer 'berlin'
                  berlin: { allowed-ips: ["fd00::/64"] }
                          ^
            router.yaml:7:30: peer 'paris' claims fd00::/64, which peer 'berlin' has on line 6
                  paris: { allowed-ips: ["FD00:0::/64"], public-key: ******************************************** }
                                         ^
            """),
        Case(
            "two peers with one prefix and different ranks, which is only not supported yet",
            peers(
                "allowed-ips: [10.0.0.0/24], public-key: \(key1)",
                "allowed-ips: [10.0.0.0/24], standby: 1, public-key: \(key2)"),
            """
            router.yaml:7:53: 'standby' is not supported yet
                  paris: { allowed-ips: [10.0.0.0/24], standby: 1, public-key: ******************************************** }
                                                                ^
            """),
        Case(
            "two peers with one public key", peers("public-key: \(key1)", "public-key: \(key1)"),
            """
            router.yaml:7:28: peer 'paris' has the public key of peer 'berlin' on line 6
                  paris: { public-key: ******************************************** }
                                       ^
            """),
        Case(
            "two interfaces that route one prefix",
            two(
                "peers: { a: { allowed-ips: [10.9.0.0/16], public-key: \(key1) } }",
                "peers: { b: { allowed-ips: [10.9.0.0/16], public-key: \(key1) } }"),
            """
            router.yaml:4:64: peer 'b' claims 10.9.0.0/16, which peer 'wg0/a' has on line 3
            …g1: { private-key: { file: k }, peers: { b: { allowed-ips: [10.9.0.0/16], public-key: **********************************…
                                                                         ^
            """),
        Case(
            "two interfaces with one port", two("listen-port: 51820", "listen-port: 51820"),
            """
            router.yaml:4:49: 'wg1' listens on port 51820, as 'wg0' does on line 3
              wg1: { private-key: { file: k }, listen-port: 51820 }
                                                            ^
            """),
        Case(
            "two interfaces with overlapping addresses",
            two("addresses: [10.0.0.1/16]", "addresses: [10.0.3.1/24]"),
            """
            router.yaml:4:48: 10.0.3.1/24 of 'wg1' overlaps 10.0.0.1/16 of 'wg0' on line 3
              wg1: { private-key: { file: k }, addresses: [10.0.3.1/24] }
                                                           ^
            """),
        Case(
            "one address twice", interface("addresses: [10.0.0.1/24, 10.0.0.1/16]"),
            """
            router.yaml:5:30: 10.0.0.1 is on line 5 already
                addresses: [10.0.0.1/24, 10.0.0.1/16]
                                         ^
            """),
        Case(
            "an endpoint behind itself",
            peer("allowed-ips: [10.0.0.0/8, 192.0.2.7/32]\n        endpoint: 192.0.2.7:51820"),
            """
            router.yaml:10:19: the route to 192.0.2.7/32 on line 9 leads into the tunnel of peer 'berlin', whose endpoint this is
                    endpoint: 192.0.2.7:51820
                              ^
            """),
        Case(
            "a default route by the main table's number",
            interface("fwmark: 0xfe\n    peers: { a: { public-key: \(key1), allowed-ips: [0.0.0.0/0] } }"),
            """
            router.yaml:5:13: the default route gets a routing table of this number, and 254 is the host's
                fwmark: 0xfe
                        ^
            """),
        Case(
            "IPv6 over an MTU that is too small for it", interface("mtu: 1279\n    addresses: [\"fd00::1/64\"]"),
            """
            router.yaml:5:10: IPv6 needs an MTU of at least 1280
                mtu: 1279
                     ^
            """),
    ]
}
