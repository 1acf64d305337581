import Configuration
import Foundation
import Pipeline
import Testing

struct StageManualTests {
    @Test func `a stage's page tells all that it declares`() throws {
        let stage = try #require(Fixtures.stages.first { $0.name == "rate-limit" })
        #expect(
            StageManual.page(stage) == """
                rate-limit: limits rates

                On the packet path
                  outbound  needs the packet in plaintext and the packet's peer
                  inbound   needs the packet in plaintext and the packet's peer

                In the pipeline
                  default
                      for every peer without limits of its own
                  default.down: a rate such as 100mbit (required)
                      to the peer
                  default.up: a rate such as 100mbit (required)
                      from the peer

                In a peer
                  down: a rate such as 100mbit (required)
                      to the peer
                  up: a rate such as 100mbit (required)
                      from the peer

                In a group
                  down: a rate such as 100mbit (required)
                      to the peer
                  up: a rate such as 100mbit (required)
                      from the peer

                Counters
                  packets-delayed  packets that had to wait
                  packets-waiting  packets that wait

                Drops
                  over-limit
                """)
    }

    private struct Choice: OptionRecord {
        init?(_ options: inout OptionReader) {}

        static let one = OptionShape.record([
            OptionKey(name: "size", shape: .whole(1...9), isRequired: true, help: "how large")
        ])
        static let shape = OptionShape.either([
            one,
            .record([
                OptionKey(name: "each", shape: .list(one), isRequired: true, help: "several"),
                OptionKey(
                    name: "over", shape: .either([.words(["stop"]), one]), isRequired: false, help: "at the end"),
            ]),
        ])
    }

    @Test func `keys are told of wherever they stand`() {
        let stage = StageSchema(StageDeclaration(name: "choose", summary: "chooses"), peerOptions: Choice.self)
        #expect(
            StageManual.page(stage).components(separatedBy: "\n\n").last == """
                In a peer
                  size: a whole number from 1 to 9 (required)
                      how large
                  or
                  each: a list, each a mapping of size (required)
                      several
                  each[].size: a whole number from 1 to 9 (required)
                      how large
                  over: stop, or a mapping of size
                      at the end
                  over.size: a whole number from 1 to 9 (required)
                      how large
                """)
    }

    @Test func `the list has a line for each stage`() {
        #expect(
            StageManual.list(Array(Fixtures.stages.suffix(3))) == """
                rate-limit  limits rates
                wireguard   seals
                udp         sends
                """)
    }

    @Test func `a stage in the kernel says so`() {
        #expect(
            StageManual.page(Fixtures.stages[0]) == """
                firewall: guards

                It acts in the kernel, on packets before they enter and after they leave the TUN device.
                """)
    }
}
