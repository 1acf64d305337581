import Pipeline
import Testing

/// One file for each kind of error, and to the letter what its user is told.
struct ErrorTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        let report: String

        init(_ name: String, _ text: String, _ report: String) {
            testDescription = name
            self.text = text
            self.report = report
        }
    }

    static let (key1, key2) = (Fixtures.keys[0], Fixtures.keys[1])

    /// A file whose line 5 is `line`, in the interface.
    static func interface(_ line: String) -> String {
        "fullbore: 1\ninterfaces:\n  wg0:\n    private-key: { file: k }\n    \(line)\n"
    }

    /// A file whose line 9 is `line`, in the peer.
    static func peer(_ line: String) -> String {
        """
        fullbore: 1
        pipeline: [tun, allowed-ips, rate-limit, wireguard, udp]
        interfaces:
          wg0:
            private-key: { file: k }
            peers:
              berlin:
                public-key: \(key1)
                \(line)

        """
    }

    /// A file whose line 2 is `line`, at the top.
    static func top(_ line: String) -> String {
        "fullbore: 1\n\(line)\ninterfaces: { wg0: { private-key: { file: k } } }\n"
    }

    @Test("An error is reported where it stands", arguments: yaml + sections + values + keys + conflicts + zones)
    func report(_ test: Case) {
        #expect(Fixtures.report(test.text) == test.report)
    }
}
