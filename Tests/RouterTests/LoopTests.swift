import Support
import TUN
import Testing
import Wire
import WireGuard

/// Messages that come back as packets for the peer that they go to (N-25).
@Suite struct LoopTests {
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
                            endpoint: 192.0.2.2:51820
                            allowed-ips: [10.0.0.2/32, 192.0.2.0/24]
                    """))
        peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
    }

    /// What the router has sent, as the host would route it: an IPv4 packet.
    private static func looped(_ message: [UInt8], source: UInt8 = 1, port: UInt16 = 51820) -> [UInt8] {
        var packet: [UInt8] = [0x45, 0] + Frames.big(UInt16(28 + message.count)) + [0, 0, 0x40, 0, 64, 17, 0, 0]
        packet += [192, 0, 2, source, 192, 0, 2, 2]
        packet += Frames.big(51820) + Frames.big(port) + Frames.big(UInt16(8 + message.count)) + [0, 0] + message
        Frames.put(PacketOracle.checksum(Array(packet[..<20])), 10, &packet)
        return packet
    }

    private var dropped: UInt64 { router.counter("wireguard", "endpoint-in-own-tunnel") }

    private func inject(_ packet: [UInt8]) {
        router.tun.inject(packet)
        world.run(.milliseconds(100))
    }

    @Test func `N-25 a data message that comes back is dropped, and the tunnel stands`() {
        inject(Frames.ping())
        let message = peer.datagrams.last ?? []
        #expect(message.first == 4)
        inject(Self.looped(message))
        #expect(dropped == 1)
        #expect(peer.datagrams.last == message, "nothing more was sent")
        let before = peer.received.count
        inject(Frames.ping())
        #expect(peer.received.count == before + 1)
    }

    @Test func `N-25 initiations that come back do not wait for the session that they were to begin`() throws {
        let lone = try World()
        let router = try MemoryRouter(
            lone, at: ["192.0.2.1"], GoldenPathTests.aFile.replacing("10.0.0.2/32", with: "192.0.2.0/24"))
        // It has another key than b, and so never answers.
        let silent = try EnginePeer(lone, "c", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
        router.tun.inject(Self.looped([UInt8](repeating: 9, count: 40), port: 9))
        lone.run(.milliseconds(100))
        let initiation = try #require(silent.datagrams.first)
        #expect(initiation.count == 148)
        router.tun.inject(Self.looped(initiation))
        lone.run(.milliseconds(100))
        #expect(router.counter("wireguard", "endpoint-in-own-tunnel") == 1)
        #expect(router.counter("wireguard", "packets-staged") == 1, "the packet that is nobody's message")
    }

    @Test func `what only looks like our own goes through: another index, another port, a ping`() {
        inject(Frames.ping())
        var message = peer.datagrams.last ?? []
        message[4] ^= 1
        inject(Self.looped(message, source: 77))
        message[4] ^= 1
        inject(Self.looped(message, port: 4500))
        inject(Self.looped([1, 2, 3]))
        #expect(dropped == 0)
        #expect(peer.received.count == 4)
    }
}
