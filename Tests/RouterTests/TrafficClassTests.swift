import Support
import TUN
import Testing
import Wire
import WireGuard

/// What the outer header says of what is inside, and the other way round (P-4.19, P-4.20, P-3.13).
@Suite struct TrafficClassTests {
    private let world: World
    private let router: MemoryRouter
    private let peer: EnginePeer

    init() throws {
        world = try World()
        router = try MemoryRouter(
            world, at: ["192.0.2.1"],
            GoldenPathTests.file(
                "a",
                peers: """
                          b:
                            public-key: "<b>"
                            allowed-ips: [10.0.0.2/32, "fd00::2/128"]
                    """))
        peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
        peer.connect(world)
    }

    private static func packet(isIPv6: Bool, _ trafficClass: UInt8, from source: UInt8, to destination: UInt8)
        -> PlainPacket
    {
        var packet = Frames.packet(source, destination, isIPv6: isIPv6)
        packet.trafficClass = trafficClass
        return packet
    }

    @Test func `P-4.20 a response goes in front, and so does an initiation`() throws {
        #expect(peer.trafficClasses.first == 0x88, "the response")
        let begins = try World()
        let router = try MemoryRouter(
            begins, at: ["192.0.2.1"],
            GoldenPathTests.file(
                "a",
                peers: """
                          b:
                            public-key: "<b>"
                            endpoint: 192.0.2.2:51820
                            allowed-ips: [10.0.0.2/32]
                            persistent-keepalive: 10
                    """))
        let peer = try EnginePeer(begins, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
        begins.run(.seconds(12))
        #expect(peer.datagrams.map { $0[0] }.prefix(2) == [1, 4])
        #expect(peer.trafficClasses.prefix(2) == [0x88, 0], "an initiation, and a keepalive")
        #expect(router.counter("udp", "datagrams-out") >= 2)
    }

    @Test(arguments: [false, true]) func `P-4.19 data shows its congestion bits and nothing else`(isIPv6: Bool) {
        let before = peer.trafficClasses.count
        for bits: UInt8 in 0...3 {
            router.tun.inject(Self.packet(isIPv6: isIPv6, 0b1011_1000 | bits, from: 1, to: 2).bytes)
        }
        world.run(.milliseconds(100))
        #expect(Array(peer.trafficClasses[before...]) == [0, 1, 2, 3])
    }

    @Test func `P-4.19 all segments of a super-packet show its bits`() {
        var packet = Self.packet(isIPv6: false, 2, from: 1, to: 2)
        packet.isTCP = true
        packet.payload = [UInt8](repeating: 5, count: 6000)
        let (bytes, header) = Frames.superPacket(packet, size: 1000)
        let before = peer.trafficClasses.count
        router.tun.inject(bytes, header: header)
        world.run(.milliseconds(100))
        #expect(Array(peer.trafficClasses[before...]) == [2, 2, 2, 2, 2, 2])
    }

    @Test(arguments: [false, true]) func `P-4.19 congestion on the way reaches the packet inside`(isIPv6: Bool) {
        peer.trafficClass = 3
        peer.send(Self.packet(isIPv6: isIPv6, 2, from: 2, to: 1).bytes, world.now)
        world.run(.milliseconds(100))
        #expect(router.takeDelivered().flatMap { $0 } == [Self.packet(isIPv6: isIPv6, 3, from: 2, to: 1).bytes])
    }
}
