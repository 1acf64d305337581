import PacketPath
import Pipeline
import Support
import TUN
import Testing
import Wire

/// A packet that is not delivered is quoted to its sender as it was sent, whatever the stages have made of it since.
@Suite struct UndeliverableTests {
    @Test(arguments: [false, true]) func `a translated packet is quoted with the address it was sent to`(
        isIPv6: Bool
    ) throws {
        let world = try World()
        let a = try MemoryRouter(
            world, at: ["192.0.2.1"],
            """
            pipeline: [tun, allowed-ips, netmap, wireguard, udp]
            """ + "\n"
                + GoldenPathTests.file(
                    "a",
                    peers: """
                              b:
                                public-key: "<b>"
                                allowed-ips: [10.0.0.0/24, "fd00::/64"]
                                netmap:
                                  map:
                                    - { theirs: 192.168.1.0/24, ours: 10.0.0.0/24 }
                                    - { theirs: "fd99::/64", ours: "fd00::/64" }
                        """))
        let packet = Frames.packet(1, 2, isIPv6: isIPv6).bytes
        a.tun.inject(packet)
        world.run()
        #expect(a.counter("netmap", "translated-out") == 1)
        #expect(a.counter("wireguard", "no-endpoint") == 1)
        #expect(a.workers[0].takeUndeliverable().map(\.quote) == [packet])
        #expect(a.workers[0].takeUndeliverable().isEmpty)
    }
}
