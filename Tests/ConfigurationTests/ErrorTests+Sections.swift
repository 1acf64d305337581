/// Sections, keys and stages.
extension ErrorTests {
    static let sections =
        [
            Case(
                "no version", "interfaces: { wg0: { private-key: { file: k } } }\n",
                """
                router.yaml:1:1: 'fullbore' is missing: a router file begins with 'fullbore: 1'
                interfaces: { wg0: { private-key: { file: k } } }
                ^
                """),
            Case(
                "another version, and nothing else of a file that this build does not know", "fullbore: 2\nnew: true\n",
                """
                router.yaml:1:11: this build reads format 1, not 2
                fullbore: 2
                          ^
                """),
            Case(
                "a version in quotes", "fullbore: \"1\"\ninterfaces: { wg0: { private-key: { file: k } } }\n",
                """
                router.yaml:1:11: expected a whole number, found the quoted text "1": take the quotes away
                fullbore: "1"
                          ^
                """),
            Case(
                "a fleet file", "fleet: 1\nnodes: {}\n",
                """
                router.yaml:1:1: this is a fleet file, which is not supported yet
                fleet: 1
                ^
                """),
            Case(
                "no interfaces", "fullbore: 1\n",
                """
                router.yaml:1:1: 'interfaces' is missing in the file
                fullbore: 1
                ^
                """),
            Case(
                "no interface among the interfaces", "fullbore: 1\ninterfaces: {}\n",
                """
                router.yaml:2:13: a router has at least one interface
                interfaces: {}
                            ^
                """),
            Case(
                "an unknown section", top("forwardng: auto"),
                """
                router.yaml:2:1: unknown key 'forwardng' (did you mean 'forwarding'?)
                forwardng: auto
                ^
                """),
            Case(
                "an unknown key that is near to none", interface("colour: red"),
                """
                router.yaml:5:5: unknown key 'colour': known here are private-key, listen-port, addresses, mtu, fwmark, \
                routes, peers
                    colour: red
                    ^
                """),
            Case(
                "an unknown key of a peer", peer("alowed-ips: []"),
                """
                router.yaml:9:9: unknown key 'alowed-ips' (did you mean 'allowed-ips'?)
                        alowed-ips: []
                        ^
                """),
            Case(
                "a key without a value", peer("allowed-ips:"),
                """
                router.yaml:9:9: 'allowed-ips' has no value: give it one, or leave it out
                        allowed-ips:
                        ^
                """),
            Case(
                "a peer without a public key",
                interface("peers: { berlin: { allowed-ips: [] } }"),
                """
                router.yaml:5:22: 'public-key' is missing in peer 'berlin'
                    peers: { berlin: { allowed-ips: [] } }
                                     ^
                """),
            Case(
                "a peer with nothing", interface("peers:\n      berlin:"),
                """
                router.yaml:6:7: peer 'berlin' has nothing under it
                      berlin:
                      ^
                """),
            Case(
                "an interface without a private key", "fullbore: 1\ninterfaces:\n  wg0: { mtu: 1400 }\n",
                """
                router.yaml:3:8: 'private-key' is missing in interface 'wg0'
                  wg0: { mtu: 1400 }
                       ^
                """),
            Case(
                "a stage that there is not", top("pipeline: [tun, alowed-ips, wireguard, udp]"),
                """
                router.yaml:2:17: unknown stage 'alowed-ips' (did you mean 'allowed-ips'?)
                pipeline: [tun, alowed-ips, wireguard, udp]
                                ^
                """),
            Case(
                "a stage near to none", top("pipeline: [frobnicate]"),
                """
                router.yaml:2:12: unknown stage 'frobnicate': there are firewall, tun, allowed-ips, rate-limit, \
                wireguard, udp
                pipeline: [frobnicate]
                           ^
                """),
            Case(
                "an entry with two stages", top("pipeline: [{ tun: {}, udp: {} }]"),
                """
                router.yaml:2:12: expected a stage, or one stage with its options as in 'rate-limit: { … }'
                pipeline: [{ tun: {}, udp: {} }]
                           ^
                """),
            Case(
                "options for a stage that takes none", top("pipeline: [tun: { x: 1 }, allowed-ips, wireguard, udp]"),
                """
                router.yaml:2:17: tun takes no options
                pipeline: [tun: { x: 1 }, allowed-ips, wireguard, udp]
                                ^
                """),
            Case(
                "an unknown option of a stage",
                top("pipeline: [tun, allowed-ips, rate-limit: { defualt: {} }, wireguard, udp]"),
                """
                router.yaml:2:44: unknown key 'defualt' (did you mean 'default'?)
                pipeline: [tun, allowed-ips, rate-limit: { defualt: {} }, wireguard, udp]
                                                           ^
                """),
            Case(
                "an order that cannot work", top("pipeline: [tun, rate-limit, allowed-ips, wireguard, udp]"),
                """
                router.yaml:2:17: rate-limit needs the packet's peer: put it below allowed-ips
                pipeline: [tun, rate-limit, allowed-ips, wireguard, udp]
                                ^
                """),
            Case(
                "a pipeline without a core stage", top("pipeline: [tun, wireguard, udp]"),
                """
                router.yaml:2:11: the pipeline lacks allowed-ips
                pipeline: [tun, wireguard, udp]
                          ^
                """),
            Case(
                "a missing option of a stage for a peer", peer("rate-limit: { down: 1mbit }"),
                """
                router.yaml:9:21: 'up' is missing in the options of rate-limit
                        rate-limit: { down: 1mbit }
                                    ^
                """),
            Case(
                "options for a peer of a stage that is not in the pipeline",
                interface("peers: { b: { public-key: \(key1), rate-limit: {} } }"),
                """
                router.yaml:5:77: rate-limit is not in the pipeline: add it there, or leave this out
                    peers: { b: { public-key: ********************************************, rate-limit: {} } }
                                                                                            ^
                """),
            Case(
                "options for a peer of a stage that takes none", peer("wireguard: {}"),
                """
                router.yaml:9:9: wireguard takes no options for a peer
                        wireguard: {}
                        ^
                """),
        ]
        + ["health", "metrics"].map {
            Case("the section \($0)", top("\($0): {}"), "router.yaml:2:1: '\($0)' is not supported yet\n\($0): {}\n^")
        }
}
