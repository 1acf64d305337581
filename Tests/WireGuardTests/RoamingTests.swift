import Testing
import Wire

@testable import WireGuard

/// Where a peer is, and which of our addresses it knows (P-6.1 to P-6.3, P-6.10).
@Suite struct RoamingTests {
    private static let elsewhere = [
        Pair.endpoint(1, host: 9), Pair.endpoint(9999),
        Endpoint(address: IPAddress(v6High: 0xfe80 << 48, low: 1), port: 1, scope: 3),
        Endpoint(address: IPAddress(v6High: 0xfe80 << 48, low: 1), port: 1, scope: 4),
    ]

    /// A session between Eve, who has Alice's key, and Bob.
    private static func session(_ pair: Pair) throws -> (eve: ScriptedPeer, session: ScriptedPeer.Session) {
        var eve = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        let response = try #require(Tap(pair).give(eve.initiation(stamp: ScriptedPeer.stamp(seconds: 1))).first)
        let taken = eve.consume(response: response)
        let session = try #require(taken)
        pair.bob.receive(Tap.toBob(ScriptedPeer.data(session, 0, [])), pair.link.now)
        pair.link.run(.seconds(1))
        return (eve, session)
    }

    @Test(arguments: elsewhere)
    func `P-6.1 data, keepalives and initiations make an endpoint follow`(place: Endpoint) throws {
        let pair = Pair()
        var (eve, session) = try Self.session(pair)
        let messages = [
            ScriptedPeer.data(session, 1, Pair.packet(1)), ScriptedPeer.data(session, 2, []),
            eve.initiation(stamp: ScriptedPeer.stamp(seconds: 2)),
        ]
        for message in messages {
            pair.bob.engine.setEndpoint(pair.toAlice, Pair.aliceEndpoint)
            #expect(pair.bob.receive(Tap.toBob(message, from: place), pair.link.now) == nil)
            #expect(pair.bob.engine.path(to: pair.toAlice)?.remote == place)
            #expect(pair.bob.notes.last?.event == .endpointChanged(place) || message.count == 148)
        }
    }

    @Test(arguments: elsewhere)
    func `P-6.1 a response makes an endpoint follow`(place: Endpoint) throws {
        let pair = Pair()
        pair.aliceSends(Pair.packet(1))
        var eve = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
        let seen = eve.consume(initiation: try #require(pair.alice.takeOutput().first).bytes)
        let (response, _) = eve.response(to: try #require(seen))
        #expect(pair.alice.receive(Tap.toAlice(response, from: place), pair.link.now) == nil)
        #expect(pair.alice.takeOutput().map(\.destination) == [place])
    }

    @Test func `P-6.1, S-8 forged and replayed messages leave it where it is`() throws {
        let pair = Pair()
        var (eve, session) = try Self.session(pair)
        let used = ScriptedPeer.data(session, 1, Pair.packet(1))
        pair.bob.receive(Tap.toBob(used), pair.link.now)
        var forged = ScriptedPeer.data(session, 2, Pair.packet(2))
        forged[20] ^= 1
        let stale = eve.initiation(stamp: ScriptedPeer.stamp(seconds: 1))
        let before = EngineState(pair.bob.engine)
        for message in [used, forged, stale] {
            #expect(pair.bob.receive(Tap.toBob(message, from: Pair.endpoint(66)), pair.link.now) != nil)
        }
        #expect(EngineState(pair.bob.engine) == before)
    }

    @Test func `P-6.1 a session survives a walk from address to address`() {
        let pair = Pair()
        pair.connect()
        pair.link.every(.milliseconds(500), times: 20) { step in
            pair.alice.endpoint = Pair.endpoint(UInt16(100 + step))
            pair.alice.engine.sourcesGone()
            pair.aliceSends(Pair.packet(step))
        }
        pair.link.every(.milliseconds(500), times: 19) { step in
            pair.link.at(pair.link.now + .milliseconds(250)) { pair.bobSends(Pair.packet(100 + step)) }
        }
        pair.link.run(.seconds(20))
        #expect(pair.bob.delivered.count == 21)
        #expect(pair.alice.delivered.map(\.bytes) == (0..<19).map { Pair.packet(100 + $0) })
        #expect(pair.sightings(from: pair.alice, .initiation).isEmpty)
    }

    @Test func `P-6.2 answers leave from the address that was asked`() {
        let pair = Pair()
        pair.connect()
        let second = IPAddress(v4: 0xc633_6401)
        pair.alice.engine.setEndpoint(pair.toBob, Endpoint(address: second, port: Pair.bobEndpoint.port))
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.milliseconds(100))
        #expect(pair.bob.engine.path(to: pair.toAlice)?.local?.address == second)
        pair.bobSends(Pair.packet(2))
        pair.link.run(.milliseconds(100))
        #expect(pair.link.log.last?.datagram.source.address == second)
        #expect(pair.alice.delivered.count == 1)
    }

    @Test func `P-6.3 the source is forgotten when nobody answers, when it is gone, and when the endpoint is set`() {
        let pair = Pair()
        pair.connect()
        func local() -> LocalAddress? { pair.alice.engine.path(to: pair.toBob)?.local }
        #expect(local() != nil)
        pair.alice.engine.sourceGone(pair.toBob)
        #expect(local() == nil)

        pair.bobSends(Pair.packet(1))
        pair.link.run(.seconds(1))
        #expect(local() != nil)
        pair.alice.engine.setEndpoint(pair.toBob, Pair.bobEndpoint)
        #expect(local() == nil)

        pair.bobSends(Pair.packet(2))
        pair.link.run(.seconds(30))
        pair.link.eve = { _ in [] }
        pair.aliceSends(Pair.packet(3))
        pair.link.run(.seconds(14))
        #expect(local() != nil)
        pair.link.run(.seconds(2))
        #expect(local() == nil, "P-5.3")
        #expect(pair.alice.engine.path(to: pair.toBob)?.remote == Pair.bobEndpoint)
    }
}
