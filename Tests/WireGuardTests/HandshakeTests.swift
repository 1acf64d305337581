import Testing
import Wire

@testable import WireGuard

/// The handshake from both sides (P-2.1), against itself and against a second implementation.
@Suite struct HandshakeTests {
    private static let stamp = ScriptedPeer.stamp(seconds: 1_600_000_000)
    static let alicePublic = Oracle.publicKey(Pair.aliceKey)
    static let bobPublic = Oracle.publicKey(Pair.bobKey)
    static let keys: [[UInt8]?] = [nil, [UInt8](repeating: 0x77, count: 32)]

    static func bytes(_ digest: Digest) -> [UInt8] { unsafe digest.withBytes { unsafe [UInt8]($0) } }

    @Test func `P-1.1 P-1.2 the first chaining key and hash are the known constants`() {
        #expect(
            Self.bytes(SymmetricState.initialChainingKey).hex
                == "60e26daef327efc02ec335e2a025d2d016eb4206f87277f52d38d1988b78cd36")
        #expect(
            Self.bytes(SymmetricState.initialHash).hex
                == "2211b361081ac566691243db458ad5322d9c6c662293e8b70ee19c65ba079ef3")
    }

    @Test(arguments: keys)
    func `P-2.1 two engines agree, and packets pass both ways`(presharedKey: [UInt8]?) {
        let side = Pair.Side(presharedKey: presharedKey)
        let pair = Pair(alice: side, bob: side)
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(1))
        pair.bobSends(Pair.packet(2))
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(1)])
        #expect(pair.alice.delivered.map(\.bytes) == [Pair.packet(2)])
        #expect(pair.alice.notes.map(\.event) == [.handshakeCompleted(initiator: true)])
        #expect(pair.bob.notes.map(\.event) == [.handshakeCompleted(initiator: false)])
        #expect(pair.alice.rejections.isEmpty && pair.bob.rejections.isEmpty)
    }

    @Test(arguments: keys)
    func `P-2.1 as responder to a second implementation`(presharedKey: [UInt8]?) throws {
        let pair = Pair(bob: Pair.Side(presharedKey: presharedKey))
        var eve = ScriptedPeer(Pair.aliceKey, remote: Self.bobPublic)
        if let presharedKey { eve.presharedKey = presharedKey }
        let bob = Tap(pair)
        let initiation = eve.initiation(stamp: Self.stamp)
        let response = try #require(bob.give(initiation).first)
        #expect(response.count == 92)
        let taken = eve.consume(response: response)
        let session = try #require(taken)
        #expect(bob.give(ScriptedPeer.data(session, 0, Pair.packet(5))).isEmpty)
        #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(5)])
        pair.bobSends(Pair.packet(6))
        let answer = try #require(pair.bob.takeOutput().first)
        #expect(ScriptedPeer.open(session, answer.bytes) == Pair.packet(6))
    }

    @Test(arguments: keys)
    func `P-2.1 as initiator to a second implementation`(presharedKey: [UInt8]?) throws {
        let pair = Pair(alice: Pair.Side(presharedKey: presharedKey))
        var eve = ScriptedPeer(Pair.bobKey, remote: Self.alicePublic)
        if let presharedKey { eve.presharedKey = presharedKey }
        pair.aliceSends(Pair.packet(7))
        let initiation = try #require(pair.alice.takeOutput().first).bytes
        let taken = eve.consume(initiation: initiation)
        let seen = try #require(taken)
        #expect(seen.staticKey == Self.alicePublic)
        let (response, session) = eve.response(to: seen)
        #expect(pair.alice.receive(Tap.toAlice(response), pair.link.now) == nil)
        let data = try #require(pair.alice.takeOutput().first)
        #expect(ScriptedPeer.open(session, data.bytes) == Pair.packet(7))
    }

    @Test func `P-2.22 a pre-shared key that differs, or that one side lacks, gives no session`() {
        let keys: [[UInt8]?] = [nil] + [0, 1, 2].map { [UInt8](repeating: $0, count: 32) }
        for (a, first) in keys.enumerated() {
            for (b, second) in keys.enumerated() {
                let pair = Pair(alice: Pair.Side(presharedKey: first), bob: Pair.Side(presharedKey: second))
                pair.aliceSends(Pair.packet(1))
                pair.link.run(.seconds(1))
                // No key and 32 zero bytes are the same.
                let agree = a == b || a + b == 1
                #expect(pair.bob.delivered.isEmpty == !agree, "\(a) \(b)")
                #expect(pair.alice.rejections == (agree ? [:] : [.invalidResponse: 1]), "\(a) \(b)")
                #expect((pair.aliceView.keypairs.current != nil) == agree)
                #expect(pair.bobView.keypairs.current == nil || agree)
            }
        }
    }

    @Test func `P-2.22 a new pre-shared key is for the next handshake, and the session goes on`() {
        let pair = Pair()
        pair.connect()
        pair.alice.engine.setPresharedKey(pair.toBob, Pair.presharedKey([UInt8](repeating: 9, count: 32)))
        pair.bob.engine.setPresharedKey(pair.toAlice, Pair.presharedKey([UInt8](repeating: 9, count: 32)))
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(130))
        #expect(pair.bob.delivered.count == 2)
        pair.aliceSends(Pair.packet(2))
        pair.link.run(.seconds(1))
        pair.aliceSends(Pair.packet(3))
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.count == 4)
        #expect(pair.alice.notes.count == 2)
        #expect(pair.alice.rejections.isEmpty && pair.bob.rejections.isEmpty)
    }

    @Test func `an initiation of someone who is no peer, or meant for someone else, is refused without a word`() {
        let pair = Pair()
        let bob = Tap(pair)
        var stranger = ScriptedPeer([UInt8](repeating: 0x33, count: 32), remote: Self.bobPublic)
        #expect(bob.give(stranger.initiation(stamp: Self.stamp)).isEmpty)
        #expect(pair.bob.rejections == [.unknownPeer: 1])
        var lost = ScriptedPeer(Pair.aliceKey, remote: Self.alicePublic)
        #expect(bob.give(lost.initiation(stamp: Self.stamp)).isEmpty)
        #expect(pair.bob.rejections[.badMAC1] == 1)
        // Someone who knows both public keys, but not Alice's private one, can make a message that names her.
        var impostor = ScriptedPeer([UInt8](repeating: 0x33, count: 32), remote: Self.bobPublic)
        let initiation = impostor.initiation(stamp: Self.stamp, naming: Self.alicePublic)
        #expect(bob.give(initiation).isEmpty)
        #expect(pair.bob.rejections[.invalidInitiation] == 1)
    }
}
