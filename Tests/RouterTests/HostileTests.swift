import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// What a peer or a stranger may send to make trouble: each a counted drop, and the next packet comes through.
@Suite struct HostileTests {
    private struct Scene {
        let world: World
        let router: MemoryRouter
        let peer: EnginePeer

        init() throws {
            world = try World()
            let text = GoldenPathTests.file(
                "a",
                peers: """
                          b:
                            public-key: "<b>"
                            allowed-ips: [10.0.0.0/24, "fd00::/64"]
                          c:
                            public-key: "<c>"
                            allowed-ips: [10.0.0.7/32]
                    """)
            router = try MemoryRouter(world, at: ["192.0.2.1"], text)
            peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
            peer.connect(world)
        }

        func give(_ plaintext: [UInt8]) -> [[UInt8]] {
            peer.send(plaintext, world.now)
            world.run(.milliseconds(10))
            return router.takeDelivered().flatMap { $0 }
        }

        /// The drops of wireguard, as `show` lists them.
        var drops: [String: UInt64] {
            let report = router.report("wireguard")
            return report.drops.reduce(into: [:]) { if $1.value != 0 { $0[$1.name] = $1.value } }
        }
    }

    // MARK: Sources

    /// N-15 and N-16: the prefix that holds the source longest decides, not whether some prefix of the sender's does.
    /// P-4.9, S-4: the longest match of all peers counts, not the peer's own list.
    @Test func aSourceWithinAnotherPeersMoreSpecificPrefixIsDroppedYetTheEndpointRoams_N15_N16() throws {
        let scene = try Scene()
        #expect(scene.give(Frames.ping(2, 1)) == [Frames.ping(2, 1)])
        // The same session, from another place.
        let elsewhere = try #require(IPAddress("203.0.113.9"))
        scene.peer.host.addresses = [elsewhere]
        #expect(scene.give(Frames.ping(7, 1)).isEmpty)
        #expect(
            scene.router.counters == """
                tun: packets-written 1, bytes-written 84, frames-written 1
                allowed-ips:  | source-not-allowed 1
                wireguard: packets-opened 2
                udp: datagrams-in 4, bytes-in 412, datagrams-out 1, bytes-out 92
                """)
        let peer = try #require(scene.router.snapshots(of: 0, scene.world.now).first).peer
        #expect(peer.path?.remote == Endpoint(address: elsewhere, port: 51820))
        // And what is for b goes there.
        scene.router.tun.inject(Frames.ping(1, 2))
        scene.world.run(.milliseconds(10))
        #expect(scene.peer.received.map { Array($0.prefix(84)) } == [Frames.ping(1, 2)])
    }

    @Test func aSourceThatNobodyHasIsDropped() throws {
        let scene = try Scene()
        var foreign = Frames.packet(2, 1).bytes
        foreign[12] = 11
        #expect(scene.give(PacketOracle.completed(foreign)).isEmpty)
        #expect(scene.router.counter("allowed-ips", "source-not-allowed") == 1)
    }

    // MARK: Lying lengths

    /// IPv6 with a payload length and as many bytes behind the header as `actual`.
    private static func v6(declared: UInt16, actual: Int) -> [UInt8] {
        [0x60, 0, 0, 0] + Frames.big(declared) + [59, 64, 0xfd] + [UInt8](repeating: 0, count: 14) + [2, 0xfd]
            + [UInt8](repeating: 0, count: 14) + [1] + [UInt8](repeating: 0x5a, count: actual)
    }

    private static func v4(declared: UInt16, actual: Int, first: UInt8 = 0x45) -> [UInt8] {
        [first, 0] + Frames.big(declared) + [0, 0, 0, 0, 64, 59, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]
            + [UInt8](repeating: 0x5a, count: max(0, actual - 20))
    }

    static let lies: [(what: String, plaintext: [UInt8], stage: String, reason: String)] = [
        ("one byte", [0x45], "wireguard", "inner-too-short"),
        ("19 bytes", Array(v4(declared: 19, actual: 20).prefix(19)), "wireguard", "inner-too-short"),
        ("IPv6 of 39 bytes", Array(v6(declared: 0, actual: 0).prefix(39)), "wireguard", "inner-too-short"),
        ("version 0", v4(declared: 40, actual: 40, first: 0x05), "wireguard", "inner-not-ip"),
        ("version 5", v4(declared: 40, actual: 40, first: 0x55), "wireguard", "inner-not-ip"),
        ("version 15", v4(declared: 40, actual: 40, first: 0xff), "wireguard", "inner-not-ip"),
        ("IPv4 less than its header", v4(declared: 19, actual: 40), "wireguard", "inner-lying-length"),
        ("IPv4 of no length", v4(declared: 0, actual: 40), "wireguard", "inner-lying-length"),
        ("IPv4 one more than there is", v4(declared: 41, actual: 40), "wireguard", "inner-lying-length"),
        ("IPv4 of the greatest length", v4(declared: .max, actual: 40), "wireguard", "inner-lying-length"),
        ("IPv4 with a header of 16 bytes", v4(declared: 40, actual: 40, first: 0x44), "allowed-ips", "not-ip"),
        ("IPv4 with a header beyond its end", v4(declared: 40, actual: 40, first: 0x4f), "allowed-ips", "not-ip"),
        ("IPv6 one more than there is", v6(declared: 41, actual: 40), "wireguard", "inner-lying-length"),
        // 40 more than these wraps 16 bits: S-32.
        ("IPv6 of 65,535", v6(declared: 65_535, actual: 40), "wireguard", "inner-lying-length"),
        ("IPv6 of 65,496", v6(declared: 65_496, actual: 40), "wireguard", "inner-lying-length"),
        ("IPv6 of 65,535 without payload", v6(declared: 65_535, actual: 0), "wireguard", "inner-lying-length"),
    ]

    @Test(arguments: lies.indices) func aPacketThatLiesAboutItselfIsDropped_P4_8_S32(index: Int) throws {
        let (what, plaintext, stage, reason) = Self.lies[index]
        let scene = try Scene()
        #expect(scene.give(plaintext).isEmpty, "\(what)")
        #expect(scene.router.counter(stage, reason) == 1, "\(what)")
        #expect(scene.router.counter("wireguard", "packets-opened") == 1, "\(what): it was authentic")
        #expect(scene.give(Frames.ping(2, 1)) == [Frames.ping(2, 1)], "\(what) stopped the next one")
        let dropped = ["allowed-ips", "wireguard", "udp", "tun"].reduce(0) {
            $0 + scene.router.report($1).drops.reduce(0) { $0 + $1.value }
        }
        #expect(dropped == 1, "\(what)")
    }

    @Test func `P-4.10 a genuine message whose content is no packet moves the endpoint and is answered all the same`()
        throws
    {
        let scene = try Scene()
        #expect(scene.give(Frames.ping(2, 1)) == [Frames.ping(2, 1)])
        scene.world.run(.seconds(20))
        let (heard, keepalives) = (scene.peer.received.count, scene.peer.keepalives)
        scene.peer.host.addresses = [try #require(IPAddress("203.0.113.9"))]
        #expect(scene.give([0x55] + [UInt8](repeating: 0, count: 63)).isEmpty)
        #expect(scene.drops == ["inner-not-ip": 1])
        scene.router.tun.inject(Frames.ping(1, 2))
        scene.world.run(.milliseconds(10))
        #expect(scene.peer.received.count == heard + 1, "it reaches the peer where that is now")

        #expect(scene.give([0x55] + [UInt8](repeating: 0, count: 63)).isEmpty)
        #expect(scene.peer.keepalives == keepalives)
        scene.world.run(.seconds(11))
        #expect(scene.peer.keepalives == keepalives + 1, "as data that is delivered would be answered")
    }

    @Test func whatIsBehindAPacketsOwnLengthIsCutOff_P4_8() throws {
        let scene = try Scene()
        let ping = Frames.ping(2, 1)
        #expect(scene.give(ping + [UInt8](repeating: 0, count: 12)) == [ping])
        #expect(scene.give(ping + [UInt8](repeating: 0xee, count: 1000)) == [ping])
    }

    /// S-23.
    @Test func aPacketAsLongAsTheyGetArrives() throws {
        let scene = try Scene()
        var packet = Frames.packet(2, 1, payload: 65_400).bytes
        packet[6] = 0x40
        #expect(scene.give(packet) == [packet])
    }

    // MARK: Messages

    /// Good messages of all four types, the first three answered with nothing when they are changed.
    private func messages(_ scene: Scene) -> [(type: Int, bytes: [UInt8])] {
        let (world, peer) = (scene.world, scene.peer)
        let initiation = peer.initiation(world.now)
        let response: [UInt8] = [2, 0, 0, 0] + [UInt8](repeating: 7, count: 88)
        let cookie: [UInt8] = [3, 0, 0, 0] + [UInt8](repeating: 7, count: 60)
        return [(1, initiation), (2, response), (3, cookie), (4, peer.sealed(Frames.ping(2, 1), world.now))]
    }

    @Test func everyTruncationOfEveryMessageIsDroppedAndCounted() throws {
        let scene = try Scene()
        var expected: UInt64 = 0
        var unknown: UInt64 = 0
        for (type, bytes) in messages(scene) {
            for count in 0..<bytes.count {
                scene.peer.sendDatagrams([Array(bytes.prefix(count))], scene.world.now)
                // Data may have any length from 32 on; its tag is then wrong.
                if type == 4, count >= 32 { unknown += 1 } else { expected += 1 }
            }
        }
        let answers = scene.peer.datagrams.count
        scene.world.run(.milliseconds(100))
        #expect(scene.drops == ["not-wireguard": expected, "forged": unknown])
        #expect(scene.peer.datagrams.count == answers, "P-3.14 nothing is answered")
        #expect(scene.give(Frames.ping(2, 1, sequence: 9)) == [Frames.ping(2, 1, sequence: 9)])
    }

    @Test func everyFlippedBitIsDroppedAndCountedAndNothingIsAnswered() throws {
        let scene = try Scene()
        var random = SeededGenerator(seed: 11)
        var sum: UInt64 = 0
        let answers = scene.peer.datagrams.count
        for (_, bytes) in messages(scene) {
            for position in bytes.indices {
                var changed = bytes
                changed[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                // An initiation's mac2 matters only under load.
                if bytes[0] == 1, position >= 132 { continue }
                scene.peer.sendDatagrams([changed], scene.world.now)
                sum += 1
            }
            scene.world.run(.milliseconds(30))
        }
        #expect(scene.drops.values.reduce(0, +) == sum)
        #expect(
            Set(scene.drops.keys) == ["not-wireguard", "bad-mac1", "unknown-receiver", "forged", "replayed"]
                || Set(scene.drops.keys) == ["not-wireguard", "bad-mac1", "unknown-receiver", "forged"])
        #expect(scene.peer.datagrams.count == answers, "P-3.14 nothing is answered")
        #expect(scene.router.takeDelivered().isEmpty)
        #expect(scene.give(Frames.ping(2, 1, sequence: 9)) == [Frames.ping(2, 1, sequence: 9)])
    }

    @Test func aRepeatedMessageIsDropped() throws {
        let scene = try Scene()
        let message = scene.peer.sealed(Frames.ping(2, 1), scene.world.now)
        scene.peer.sendDatagrams([message, message, message], scene.world.now)
        scene.world.run(.milliseconds(10))
        #expect(scene.router.takeDelivered() == [[Frames.ping(2, 1)]])
        #expect(scene.drops == ["replayed": 2])
    }

    @Test func aStrangersInitiationIsNotAnswered() throws {
        let scene = try Scene()
        let stranger = try EnginePeer(scene.world, "d", at: ["192.0.2.4"], to: "a", remote: "192.0.2.1:51820", seed: 5)
        stranger.connect(scene.world)
        #expect(stranger.datagrams.isEmpty)
        #expect(scene.drops == ["unknown-peer": 1])
    }

    // MARK: Datagrams

    @Test(arguments: [true, false]) func datagramsOfAllSizesAreTaken(coalescing: Bool) throws {
        let scene = try Scene()
        scene.router.host.ports[0].coalescing = coalescing
        let sizes = Array(0...200) + [1451, 1452, 1453, 9000, 65_506, 65_507]
        for size in sizes {
            scene.peer.sendDatagrams([[UInt8](repeating: 4, count: size)], scene.world.now)
            scene.peer.sendDatagrams(
                [[UInt8]([4, 0, 0, 0] + [UInt8](repeating: 9, count: size)).dropLast(4).map { $0 }], scene.world.now)
        }
        scene.world.run(.milliseconds(10))
        let drops = scene.drops
        #expect(drops.values.reduce(0, +) == UInt64(2 * sizes.count))
        #expect(Set(drops.keys) == ["not-wireguard", "unknown-receiver"])
        #expect(drops["unknown-receiver"] == UInt64(sizes.count { $0 >= 32 }))
        #expect(scene.give(Frames.ping(2, 1)) == [Frames.ping(2, 1)])
    }

    @Test func aMessageAsLongAsADatagramGetsIsOpened() throws {
        let scene = try Scene()
        // 65,507 less 32: longer than any packet of ours, and padded with what an honest peer would not send.
        let plaintext = Frames.ping(2, 1) + [UInt8](repeating: 0, count: 65_475 - 84)
        #expect(scene.give(plaintext) == [Frames.ping(2, 1)])
        #expect(scene.router.counter("udp", "bytes-in") == 148 + 32 + 65_507)
    }
}
