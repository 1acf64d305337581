import Crypto
import Testing
import Wire

@testable import WireGuard

/// Diffie-Hellman results of all zeros, which would make a key that everybody knows (P-2.3, P-2.4, S-9, S-22).
@Suite struct LowOrderTests {
    /// The seven points of N-37.
    static let points = [
        String(repeating: "00", count: 32),
        "01" + String(repeating: "00", count: 31),
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ec" + String(repeating: "ff", count: 30) + "7f",
        "ed" + String(repeating: "ff", count: 30) + "7f",
        "ee" + String(repeating: "ff", count: 30) + "7f",
    ]
    private static let zeros = [UInt8](repeating: 0, count: 32)
    private static let stamp = ScriptedPeer.stamp(seconds: 1)

    @Test(arguments: points)
    func `P-2.3 an initiation with such an ephemeral key is refused, though it would decrypt`(point: String) {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        eve.claimedEphemeral = [UInt8](hex: point)
        #expect(Tap(pair).give(eve.initiation(stamp: Self.stamp)).isEmpty)
        #expect(pair.bob.rejections == [.invalidInitiation: 1])
    }

    @Test(arguments: points)
    func `P-2.3 a response with such an ephemeral key is refused, though it would decrypt`(point: String) throws {
        let pair = Pair()
        pair.aliceSends(Pair.packet(1))
        var eve = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
        eve.claimedEphemeral = [UInt8](hex: point)
        let seen = eve.consume(initiation: try #require(pair.alice.takeOutput().first).bytes)
        let (response, _) = eve.response(to: try #require(seen))
        pair.alice.receive(Tap.toAlice(response), pair.link.now)
        #expect(pair.alice.rejections == [.invalidResponse: 1])
        #expect(pair.alice.takeOutput().isEmpty)
    }

    @Test(arguments: points)
    func `P-2.4 a peer with such a key can be configured, and cannot get in`(point: String) {
        let pair = Pair()
        Self.configure(point, on: pair, keepalive: .seconds(0))
        var eve = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        eve.claimedStaticShared = Self.zeros
        #expect(Tap(pair).give(eve.initiation(stamp: Self.stamp, naming: [UInt8](hex: point))).isEmpty)
        #expect(pair.bob.rejections == [.invalidInitiation: 1])
    }

    @Test(arguments: points)
    func `N-37 a peer with such a key never gets a byte`(point: String) {
        let pair = Pair()
        Self.configure(point, on: pair, keepalive: .seconds(1))
        pair.link.every(.milliseconds(500), times: 20) { _ in
            pair.bob.send(Pair.packet(1), to: PeerID(9), pair.link.now)
        }
        pair.link.run(.seconds(30))
        #expect(pair.link.log.isEmpty)
        #expect(pair.bob.engine.index.count == 0)
    }

    private static func configure(_ point: String, on pair: Pair, keepalive: Interval) {
        guard let key = PublicKey(hex: point) else {
            Issue.record("\(point) is no key")
            return
        }
        pair.bob.engine.add(
            PeerConfiguration(
                id: PeerID(9), publicKey: key, endpoint: Pair.endpoint(7), persistentKeepalive: keepalive),
            pair.link.now)
        pair.bob.settle(pair.link.now)
    }
}
