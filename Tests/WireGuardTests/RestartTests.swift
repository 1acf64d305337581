import Crypto
import Testing
import Wire

@testable import WireGuard

/// A responder that starts anew has forgotten its sessions and the stamps it has seen (S-20).
@Suite struct RestartTests {
    private static func restartBob(_ pair: Pair) -> Node {
        let bob = Pair.node(Pair.bobKey, Pair.bobEndpoint, seed: 999, pair.link)
        Pair.introduce(bob, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(), pair.link.now)
        pair.link.replace(pair.bob, by: bob)
        return bob
    }

    @Test func `an initiator finds out after fifteen seconds without an answer`() throws {
        let pair = Pair()
        pair.connect()
        pair.link.run(.seconds(20))
        let bob = Self.restartBob(pair)
        let start = pair.link.now
        pair.link.every(.seconds(1), times: 30) { pair.aliceSends(Pair.packet($0)) }
        pair.link.run(.seconds(30))
        let first = try #require(bob.delivered.first)
        #expect(first.at - start <= .milliseconds(16_100))
        #expect(bob.rejections == [.unknownReceiver: 16])
        #expect(bob.delivered.last?.bytes == Pair.packet(29))
    }

    @Test func `S-20 an old initiation gets an answer that nobody can use, until the real one comes`() throws {
        let pair = Pair()
        pair.connect()
        let recorded = try #require(pair.link.log.first).datagram
        let bob = Self.restartBob(pair)
        pair.link.inject(recorded)
        pair.link.run(.seconds(1))
        let view = try #require(bob.engine.peer(pair.toAlice))
        #expect(view.keypairs.current == nil && view.keypairs.next != nil)
        #expect(pair.alice.rejections == [.unknownReceiver: 1])
        // Nothing is ever sent on it, however often it is tried.
        bob.send(Pair.packet(1), to: pair.toAlice, pair.link.now)
        pair.link.run(.milliseconds(10))
        #expect(pair.sightings(from: bob, .data).isEmpty)

        pair.link.run(.seconds(20))
        #expect(pair.alice.delivered.map(\.bytes) == [Pair.packet(1)])
        for sighting in pair.sightings(from: pair.alice, .initiation) {
            let rejection = bob.receive(sighting.datagram, pair.link.now)
            #expect(rejection == .replayedInitiation)
        }
    }

    @Test func `S-20 with the stamps of the last run an old initiation is refused, and a later one answered`() throws {
        let pair = Pair()
        pair.connect()
        let recorded = try #require(pair.link.log.first).datagram
        let remembered = pair.bob.engine.directory.greatestStamps
        #expect(remembered.count == 1)
        let bob = Pair.node(Pair.bobKey, Pair.bobEndpoint, seed: 999, pair.link)
        // Remembered before the peer is there, as at a start, and then once more.
        bob.engine.directory.remember(remembered)
        #expect(bob.engine.directory.greatestStamps == remembered)
        Pair.introduce(bob, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(), pair.link.now)
        bob.engine.directory.remember(remembered.mapValues { _ in TAI64N(seconds: 0, nanoseconds: 0) })
        #expect(bob.engine.directory.greatestStamps == remembered, "it never goes back")
        pair.link.replace(pair.bob, by: bob)
        #expect(bob.receive(recorded, pair.link.now) == .replayedInitiation)
        pair.link.run(.seconds(20))
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(30))
        #expect(bob.delivered.map(\.bytes) == [Pair.packet(1)])
    }

    @Test func `S-20 of peers that are not there the oldest stamps are forgotten, beyond a bound`() {
        let directory = PeerDirectory(nil, stampBound: 3)
        let keys = (0..<5).map { _ in PrivateKey.generate().publicKey }
        func stamp(_ seconds: UInt64) -> TAI64N { TAI64N(seconds: seconds, nanoseconds: 0) }
        directory.remember([keys[0]: stamp(5), keys[1]: stamp(1), keys[2]: stamp(3)])
        directory.remember([keys[3]: stamp(2), keys[4]: stamp(4)])
        #expect(directory.greatestStamps == [keys[0]: stamp(5), keys[2]: stamp(3), keys[4]: stamp(4)])
        directory.remember([keys[2]: stamp(6)])
        #expect(directory.greatestStamps == [keys[0]: stamp(5), keys[2]: stamp(6), keys[4]: stamp(4)])
    }

    @Test func `S-20 a peer that is removed and added again is taken with any stamp`() throws {
        let pair = Pair()
        pair.connect()
        pair.link.run(.seconds(1))
        var alice = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        let old = Tap.toBob(alice.initiation(stamp: ScriptedPeer.stamp(seconds: 1)))
        #expect(pair.bob.receive(old, pair.link.now) == .replayedInitiation)
        pair.bob.engine.remove(pair.toAlice)
        #expect(pair.bob.engine.directory.greatestStamps.isEmpty)
        Pair.introduce(pair.bob, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(), pair.link.now)
        #expect(pair.bob.receive(old, pair.link.now) == nil)
        #expect(pair.bob.takeOutput().contains { $0.type == .response })
    }

    @Test(arguments: [(ahead: 0, noted: false), (ahead: 599, noted: false), (ahead: 700, noted: true)])
    func `S-20 a stamp far ahead of our clock is told of`(ahead: UInt64, noted: Bool) throws {
        let pair = Pair()
        pair.bob.engine.remove(pair.toAlice)
        Pair.introduce(pair.bob, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(), pair.link.now)
        var alice = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        let stamp = ScriptedPeer.stamp(seconds: pair.link.clock.wall.seconds + ahead)
        #expect(pair.bob.receive(Tap.toBob(alice.initiation(stamp: stamp)), pair.link.now) == nil)
        #expect(pair.bob.notes.contains { $0.event == .stampFromTheFuture } == noted)
    }
}
