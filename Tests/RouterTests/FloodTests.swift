import PacketPath
import Pipeline
import Testing
import UDP
import Wire
import WireGuard

/// A router under a flood of initiations from everywhere, all with a good mac1: whoever knows its public key can send them.
@Suite struct FloodTests {
    private let world: World
    private let router: MemoryRouter
    private let stranger: MemoryHost

    init() throws {
        world = try World()
        router = try MemoryRouter(
            world, at: ["192.0.2.1"],
            GoldenPathTests.file("a", peers: "      b: { public-key: \"<b>\", allowed-ips: [10.0.0.2/32] }"))
        stranger = world.network.attach(addresses: [try #require(IPAddress("203.0.113.1"))], port: 1)
    }

    private static let initiation = ForgedInitiation.bytes(to: "a")

    /// `count` of them at once, from as many ports; the threads for handshakes come to look when all are there.
    private func flood(_ count: Int) {
        router.handshakesAreAsleep = true
        let target = Path(remote: Endpoint(address: IPAddress(v4: 0xc000_0201), port: 51820))
        var left = count
        while left > 0 {
            var batch = PacketBatch(pool: BufferPool())
            batch.now = world.now
            for _ in 0..<min(left, PacketBatch.capacity) {
                let buffer = batch.pool.take(.small)
                unsafe buffer.start.copyMemory(from: Self.initiation, byteCount: 148)
                var packet = Packet(buffer, count: 148)
                packet.path = target
                batch.append(packet)
            }
            left -= batch.count
            stranger.ports[0].send(&batch)
            world.run(.milliseconds(1))
        }
        router.handshakesAreAsleep = false
        world.run(.milliseconds(1))
    }

    @Test func `P-3.10 what the queue has no room for is dropped and counted, and each of the rest gets a cookie`() {
        flood(Limits.handshakeQueue + 100)
        #expect(router.counter("wireguard", "handshake-queue-full") == 100)
        #expect(router.counter("wireguard", "cookies-sent") == UInt64(Limits.handshakeQueue))
        #expect(router.counter("wireguard", "invalid-initiation") == 0, "nothing was computed")
        world.run(.milliseconds(10))
        var answers = 0
        var batch = PacketBatch(pool: BufferPool())
        repeat {
            batch.removeAll()
            stranger.ports[0].receive(into: &batch)
            for index in 0..<batch.count { answers += batch[index].wirePackets }
        } while batch.count > 0
        #expect(answers == Limits.handshakeQueue, "all of them arrive")
        #expect(router.counter("udp", "datagrams-out") == 0, "and no worker has sent any")
    }

    @Test func anInterfaceThatHasNoSocketSendsNoCookies() {
        router.handshakes.setOutlet(nil, on: InterfaceID(0))
        flood(Limits.handshakeLoad + 1)
        #expect(router.counter("wireguard", "cookies-sent") == 0)
        #expect(router.counter("wireguard", "cookie-not-sent") == router.counter("wireguard", "cookie-due"))
        #expect(router.counter("wireguard", "cookie-not-sent") > 0)
    }

    @Test func `P-3.9 below an eighth of the queue everything is computed`() {
        flood(Limits.handshakeLoad - 1)
        #expect(router.counter("wireguard", "cookies-sent") == 0)
        #expect(router.counter("wireguard", "invalid-initiation") == UInt64(Limits.handshakeLoad - 1))
    }

    @Test func `S-6 a real peer gets through a flood that does not end, with a cookie`() throws {
        let peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
        peer.begin(world)
        for _ in 0..<30 where peer.receiverIndex == nil {
            flood(Limits.handshakeLoad + 50)
            world.run(.milliseconds(400))
        }
        #expect(peer.receiverIndex != nil)
        #expect(router.counter("wireguard", "cookies-sent") > 500)
    }
}
