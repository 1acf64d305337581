import Configuration
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

                Counters
                  packets-delayed  packets that had to wait
                  packets-waiting  packets that wait

                Drops
                  over-limit
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
