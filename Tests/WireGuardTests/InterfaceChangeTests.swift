import Crypto
import Testing
import Wire

@testable import WireGuard

/// The interface goes down and comes up, and becomes somebody else (P-8.1, P-9.1, N-17).
@Suite struct InterfaceChangeTests {
    private static let otherKey = [UInt8](repeating: 0xa7, count: 32)

    private func become(_ key: [UInt8]?, _ pair: Pair) {
        pair.alice.engine.directory.identity = key.map { Identity(Pair.privateKey($0)) }
        pair.alice.engine.identityChanged(at: pair.link.now)
        pair.alice.settle(pair.link.now)
    }

    // MARK: Up and down

    @Test func `P-9.1 down forgets sessions, handshakes and timers, and drops what is staged`() {
        let pair = Pair(alice: Pair.Side(keepalive: .seconds(5)))
        pair.link.run(.seconds(2))
        #expect(pair.aliceView.keypairs.current != nil)
        pair.alice.engine.goDown()
        pair.alice.settle(pair.link.now)
        #expect(pair.aliceView.keypairs.current == nil && pair.aliceView.keypairs.previous == nil)
        #expect(pair.aliceView.handshake == nil && pair.alice.engine.index.count == 0)
        #expect(pair.alice.engine.nextDeadline == .never)
        #expect(pair.aliceView.timers.persistentInterval == .seconds(5), "what the user has set stays")
    }

    @Test func `P-9.1 down drops what waits for a session`() {
        let pair = Pair()
        pair.link.eve = { _ in [] }
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(1))
        #expect(pair.alice.stagedCount(pair.toBob) == 1)
        pair.alice.engine.goDown()
        pair.alice.settle(pair.link.now)
        #expect(pair.alice.stagedCount(pair.toBob) == 0 && pair.alice.purged == 1)
    }

    @Test func `P-5.11 P-9.1 while it is down nothing is sent, whatever happens`() {
        let pair = Pair(alice: Pair.Side(keepalive: .seconds(5)))
        pair.link.run(.seconds(2))
        pair.alice.engine.goDown()
        pair.alice.settle(pair.link.now)
        let start = pair.link.now
        pair.aliceSends(Pair.packet(1))
        pair.alice.engine.setPersistentKeepalive(pair.toBob, .seconds(1), start)
        pair.alice.engine.sendKeepalive(to: pair.toBob, start)
        pair.alice.engine.locate(pair.toBob, at: Pair.bobEndpoint, start)
        pair.alice.engine.add(
            PeerConfiguration(
                id: PeerID(9), publicKey: Pair.privateKey(Self.otherKey).publicKey, endpoint: Pair.bobEndpoint,
                persistentKeepalive: .seconds(1)), start)
        pair.alice.settle(start)
        // Bob's packets come to a closed door, his initiations too.
        pair.bobSends(Pair.packet(2))
        pair.link.run(.seconds(400))
        #expect(pair.sightings(from: pair.alice, since: start).isEmpty)
        #expect(pair.alice.delivered.isEmpty && pair.alice.engine.nextDeadline == .never)
    }

    @Test func `P-5.12 P-9.1 up again, peers with a persistent keepalive are greeted at once`() {
        let pair = Pair(alice: Pair.Side(keepalive: .seconds(25)))
        pair.link.run(.seconds(2))
        pair.alice.engine.goDown()
        pair.alice.settle(pair.link.now)
        pair.link.run(.seconds(1))
        let start = pair.link.now
        pair.alice.engine.comeUp(start)
        pair.alice.settle(start)
        pair.link.run(.seconds(1))
        #expect(pair.sightings(from: pair.alice, .initiation, since: start).map(\.at) == [start])
        pair.aliceSends(Pair.packet(1))
        pair.bobSends(Pair.packet(2))
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(1)])
        #expect(pair.alice.delivered.map(\.bytes) == [Pair.packet(2)])
    }

    @Test func `P-9.1 what was staged while it came up brings a handshake about`() {
        let pair = Pair()
        pair.alice.engine.goDown()
        pair.alice.settle(pair.link.now)
        pair.aliceSends(Pair.packet(1))
        pair.alice.engine.comeUp(pair.link.now)
        pair.alice.engine.seekSession(pair.toBob, pair.link.now)
        pair.alice.settle(pair.link.now)
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(1)])
        let start = pair.link.now
        pair.alice.engine.seekSession(pair.toBob, start)
        pair.alice.settle(start)
        pair.link.run(.milliseconds(100))
        #expect(pair.sightings(from: pair.alice, .initiation, since: start).isEmpty, "there is one")
    }

    // MARK: Another private key

    @Test func `N-17 another private key: the next packet brings a handshake at once, as who we are now`() {
        let pair = Pair()
        pair.connect()
        become(Self.otherKey, pair)
        pair.bob.engine.add(
            PeerConfiguration(
                id: PeerID(7), publicKey: Pair.privateKey(Self.otherKey).publicKey, endpoint: Pair.aliceEndpoint),
            pair.link.now)
        let start = pair.link.now
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(1))
        #expect(pair.sightings(from: pair.alice, .initiation, since: start).map(\.at) == [start], "P-2.10 begins anew")
        #expect(pair.bob.delivered.suffix(1).map(\.bytes) == [Pair.packet(1)])
        #expect(pair.bob.delivered.last?.peer == PeerID(7))
    }

    @Test func `P-8.1 what was sealed for who we were is still opened`() {
        let pair = Pair()
        pair.connect()
        become(Self.otherKey, pair)
        pair.bobSends(Pair.packet(3))
        pair.link.run(.milliseconds(100))
        #expect(pair.alice.delivered.map(\.bytes) == [Pair.packet(3)])
    }

    @Test func `P-8.1 a handshake of who we were comes to nothing`() {
        let pair = Pair()
        pair.aliceSends(Pair.packet(1))
        become(Self.otherKey, pair)
        pair.link.run(.seconds(1))
        // The response is there, and answers nothing any more.
        #expect(pair.aliceView.keypairs.current == nil && pair.bob.delivered.isEmpty)
        #expect(pair.alice.engine.index.count == (pair.aliceView.handshake == nil ? 0 : 1))
    }

    @Test func `P-8.1 without a private key nothing is begun and nothing answered`() {
        let pair = Pair(bob: Pair.Side(keepalive: .seconds(5)))
        pair.link.run(.seconds(1))
        become(nil, pair)
        let start = pair.link.now
        pair.aliceSends(Pair.packet(1))
        pair.bob.engine.remove(pair.toAlice)
        Pair.introduce(
            pair.bob, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(keepalive: .seconds(5)), start)
        pair.link.run(.seconds(60))
        #expect(!pair.sightings(from: pair.bob, .initiation, since: start).isEmpty, "Bob tries")
        #expect(pair.sightings(from: pair.alice, since: start).isEmpty)

        // And with one again it goes on.
        become(Pair.aliceKey, pair)
        pair.link.run(.seconds(10))
        #expect(pair.aliceView.keypairs.current != nil || pair.aliceView.keypairs.next != nil)
    }
}
