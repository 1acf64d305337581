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
            #expect(rejection == .replayedInitiation || rejection == nil)
        }
    }
}
