/// Single values.
extension ErrorTests {
    /// A case of one value within a line.
    private static func value(
        _ name: String, _ file: (String) -> String, _ key: String, _ text: String, _ message: String
    ) -> Case {
        let whole = file("\(key): \(text)")
        let lines = whole.split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.firstIndex(where: { $0.hasSuffix("\(key): \(text)") }) else {
            return Case(name, "", "")
        }
        let column = lines[index].count - text.count + 1
        let caret = String(repeating: " ", count: column - 1) + "^"
        return Case(name, whole, "router.yaml:\(index + 1):\(column): \(message)\n\(lines[index])\n\(caret)")
    }

    static let values = [
        value(
            "an instance name with a folder", top, "name", "a/b",
            "'a/b' cannot be a name: that is 1 to 63 letters, digits, '.', '_' and '-', the first a letter or a digit"),
        value(
            "text for a number", interface, "listen-port", "http",
            "expected a whole number from 0 to 65535, found 'http'"),
        value(
            "a number too large for a port", interface, "listen-port", "65536",
            "expected a whole number from 0 to 65535, found '65536', which is out of range"),
        value(
            "a quoted number", interface, "listen-port", "'51820'",
            "expected a whole number from 0 to 65535, found the quoted text \"51820\": take the quotes away"),
        value("an MTU too small", interface, "mtu", "575", "575 is out of range: expected 576 to 65475"),
        value("an MTU too large", interface, "mtu", "65476", "65476 is out of range: expected 576 to 65475"),
        value(
            "a truth value of YAML 1.1", interface, "routes", "yes",
            "expected true or false, found 'yes' (did you mean 'true'?)"),
        value(
            "a scalar for a list", interface, "addresses", "10.0.0.1/24",
            "expected a list, found '10.0.0.1/24': a list stands in [ ]"),
        value("a scalar for a mapping", interface, "peers", "berlin", "expected a mapping, found 'berlin'"),
        value("a list for a mapping", interface, "peers", "[berlin]", "expected a mapping, found a list"),
        value("a wrong word", top, "forwarding", "of", "expected one of auto, off, found 'of' (did you mean 'off'?)"),
        value(
            "a wrong endpoint", peer, "endpoint", "berlin.example.net",
            "expected an endpoint such as vpn.example.net:51820 or [2001:db8::1]:51820, found 'berlin.example.net': "
                + "the port is missing"),
        value(
            "an endpoint without brackets", peer, "endpoint", "2001:db8::1:51820",
            "expected an endpoint such as vpn.example.net:51820 or [2001:db8::1]:51820, found '2001:db8::1:51820': "
                + "an IPv6 address stands in [ ], and the port after it"),
        value(
            "a keepalive with a unit", peer, "persistent-keepalive", "25s",
            "expected seconds from 0 to 65535, or off, found '25s'"),
        value("a standby rank", peer, "standby", "1", "'standby' is not supported yet"),
        Case(
            "a wrong address", interface("addresses: [10.0.0.1/24, 10.0.0.256/24]"),
            """
            router.yaml:5:30: expected an address with its length such as 10.80.0.1/24, found '10.0.0.256/24'
                addresses: [10.0.0.1/24, 10.0.0.256/24]
                                         ^
            """),
        Case(
            "an address that no interface can have", interface("addresses: [224.0.0.1/24]"),
            """
            router.yaml:5:17: expected an address with its length such as 10.80.0.1/24, found '224.0.0.1/24', which no \
            interface can have
                addresses: [224.0.0.1/24]
                            ^
            """),
        Case(
            "a wrong prefix length", peer("allowed-ips: [10.0.0.0/33]"),
            """
            router.yaml:9:23: expected a prefix such as 10.0.0.0/24 or fd00::/64, found '10.0.0.0/33': the length is a \
            number from 0 to 32
                    allowed-ips: [10.0.0.0/33]
                                  ^
            """),
        Case(
            "a bare number for a rate", peer("rate-limit: { down: 100, up: 10Mbit }"),
            """
            router.yaml:9:29: bare number '100' where a unit is due: expected a rate such as 100mbit
                    rate-limit: { down: 100, up: 10Mbit }
                                        ^
            router.yaml:9:38: expected a rate such as 100mbit, found '10Mbit' (did you mean '10mbit'?)
                    rate-limit: { down: 100, up: 10Mbit }
                                                 ^
            """),
        Case(
            "wrong words in runtime",
            top("runtime: { workers: 0, aead: libsodum, offloads: { tun: true, udp-gs: on } }"),
            """
            router.yaml:2:21: expected auto or a number from 1 to 256, found '0'
            runtime: { workers: 0, aead: libsodum, offloads: { tun: true, udp-gs: on } }
                                ^
            router.yaml:2:30: expected one of auto, libsodium, ipsec-mb, found 'libsodum' (did you mean 'libsodium'?)
            runtime: { workers: 0, aead: libsodum, offloads: { tun: true, udp-gs: on } }
                                         ^
            router.yaml:2:57: expected one of auto, on, off, found 'true' (did you mean 'on'?)
            runtime: { workers: 0, aead: libsodum, offloads: { tun: true, udp-gs: on } }
                                                                    ^
            router.yaml:2:63: unknown key 'udp-gs' (did you mean 'udp-gso'?)
            runtime: { workers: 0, aead: libsodum, offloads: { tun: true, udp-gs: on } }
                                                                          ^
            """),
        Case(
            "an interface name that Linux reserves", "fullbore: 1\ninterfaces:\n  all: { private-key: { file: k } }\n",
            """
            router.yaml:3:3: 'all' cannot be an interface: Linux reserves the name
              all: { private-key: { file: k } }
              ^
            """),
        Case(
            "an interface name of 16 bytes",
            "fullbore: 1\ninterfaces:\n  wg0123456789abcd: { private-key: { file: k } }\n",
            """
            router.yaml:3:3: 'wg0123456789abcd' cannot be an interface: its name is 1 to 15 letters, digits, '_', '=', \
            '+', '.' and '-'
              wg0123456789abcd: { private-key: { file: k } }
              ^
            """),
        Case(
            "a peer's name with a slash", interface("peers: { a/b: { public-key: \(key1) } }"),
            """
            router.yaml:5:14: 'a/b' cannot be a name: that is 1 to 63 letters, digits, '.', '_' and '-', the first a \
            letter or a digit
                peers: { a/b: { public-key: ******************************************** } }
                         ^
            """),
    ]
}
