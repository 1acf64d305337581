import CX25519Count
import PacketPath
import Pipeline
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// A worker computes no handshake: each of a router's Diffie-Hellmans is the desk's, which has threads of its own.
@Suite struct HandshakesOffPathTests {
    /// The X25519 computations of `body`, all of which runs on the calling thread.
    private static func diffieHellmans(_ body: () -> Void) -> UInt {
        let before = x25519_count()
        body()
        return x25519_count() - before
    }

    /// One turn of the router's only worker.
    private static func turn(_ router: MemoryRouter, _ world: World) -> UInt {
        diffieHellmans { router.workers[0].turn(world.now) }
    }

    /// Everything that waits at the router's desk.
    private static func desk(_ router: MemoryRouter, _ world: World) -> UInt {
        diffieHellmans { while router.handshakes.work(world.now) {} }
    }

    private static func sleep(_ router: MemoryRouter) {
        router.asleep = [0]
        router.handshakesAreAsleep = true
    }

    @Test func `S-16 a turn with a flood of initiations computes none of them, and data between them comes through`()
        throws
    {
        let count = 60  // of each kind: below load, so that the desk computes all with a good mac1
        let world = try World()
        let router = try MemoryRouter(
            world, at: ["192.0.2.1"],
            GoldenPathTests.file("a", peers: "      b: { public-key: \"<b>\", allowed-ips: [10.0.0.2/32] }"))
        let peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
        peer.connect(world)
        peer.send(Frames.ping(2, 1), world.now)
        world.run()
        #expect(router.takeDelivered() == [[Frames.ping(2, 1)]])
        let answered = router.counter("wireguard", "packets-opened")

        // All of it waits at the socket when the worker's turn comes: good, bad, data, good, bad, data…
        Self.sleep(router)
        let good = ForgedInitiation.bytes(to: "a")
        let bad = ForgedInitiation.bytes(to: "a", hasGoodMAC1: false)
        let pings = (1...count).map { Frames.ping(2, 1, sequence: UInt16($0)) }
        for ping in pings { peer.sendDatagrams([good, bad, peer.sealed(ping, world.now)], world.now) }
        world.run(.milliseconds(1))

        #expect(Self.turn(router, world) == 0, "the worker computes nothing")
        #expect(router.takeDelivered().flatMap { $0 } == pings, "and the peer's packets are through in this turn")
        #expect(router.counter("wireguard", "packets-opened") == answered + UInt64(count))
        #expect(router.counter("wireguard", "bad-mac1") == UInt64(count), "refused at the worker")
        #expect(router.counter("wireguard", "invalid-initiation") == 0, "nobody has computed the others yet")
        #expect(router.counter("wireguard", "handshake-queue-full") == 0)
        #expect(router.counter("wireguard", "cookies-sent") == 0)

        #expect(Self.desk(router, world) == UInt(count), "one Diffie-Hellman tells that nobody is behind it")
        #expect(router.counter("wireguard", "invalid-initiation") == UInt64(count))
        #expect(router.counter("wireguard", "bad-mac1") == UInt64(count), "none of these was queued")
        #expect(Self.turn(router, world) == 0)
    }

    @Test func `S-16 neither end's worker computes any part of a handshake that succeeds`() throws {
        let world = try World()
        let a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, GoldenPathTests.aFile)
        let b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
        for router in [a, b] { Self.sleep(router) }

        a.tun.inject(Frames.ping())
        #expect(Self.turn(a, world) == 0, "asked for")
        #expect(Self.desk(a, world) > 0, "computed: the initiation")
        #expect(Self.turn(a, world) == 0, "sent")
        world.run(.milliseconds(1))
        #expect(Self.turn(b, world) == 0, "received")
        #expect(Self.desk(b, world) > 0, "computed: the response")
        #expect(Self.turn(b, world) == 0, "sent")
        world.run(.milliseconds(1))
        #expect(Self.turn(a, world) == 0, "received")
        #expect(Self.desk(a, world) > 0, "computed: the session")
        #expect(Self.turn(a, world) == 0, "used for the packet that has waited")
        world.run(.milliseconds(1))
        #expect(Self.turn(b, world) == 0)
        #expect(b.takeDelivered() == [[Frames.ping()]])
    }
}
