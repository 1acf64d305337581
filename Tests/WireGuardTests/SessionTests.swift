import Testing
import Wire

@testable import WireGuard

/// Which session is used for what, and for how long, seen from the wire (P-2.12, P-2.13, P-2.17, P-2.18, P-4.4, P-5.8).
@Suite struct SessionTests {
    private static func stamp(_ seconds: UInt64) -> [UInt8] { ScriptedPeer.stamp(seconds: seconds) }

    @Test func `P-2.12 an initiator with nothing to say confirms with a keepalive`() {
        let pair = Pair(alice: Pair.Side(keepalive: .seconds(25)))
        pair.link.run(.seconds(1))
        #expect(pair.link.log.map(\.datagram.bytes.count) == [148, 92, 32])
        #expect(pair.bobView.keypairs.current != nil && pair.bobView.keypairs.next == nil)
    }

    @Test func `P-2.13 a responder sends nothing before the initiator has proved itself`() throws {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        let response = try #require(Tap(pair).give(eve.initiation(stamp: Self.stamp(1))).first)
        let taken = eve.consume(response: response)
        let session = try #require(taken)
        pair.bobSends(Pair.packet(1))
        pair.bobSends(Pair.packet(2))
        #expect(pair.bob.takeOutput().isEmpty)
        let flushed = Tap(pair).give(ScriptedPeer.data(session, 0, []))
        #expect(flushed.map { ScriptedPeer.open(session, $0) } == [Pair.packet(1), Pair.packet(2)])
    }

    @Test func `P-2.17, P-4.4, P-5.8 the session before is good to receive with, for 180 s and not a moment longer`()
        throws
    {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        var sessions: [ScriptedPeer.Session] = []
        let start = pair.link.now
        for number in 0..<2 {
            let response = try #require(Tap(pair).give(eve.initiation(stamp: Self.stamp(UInt64(number)))).first)
            let taken = eve.consume(response: response)
            sessions.append(try #require(taken))
            pair.bob.receive(Tap.toBob(ScriptedPeer.data(sessions[number], 0, [])), pair.link.now)
            pair.link.run(.seconds(30))
        }
        func give(_ session: Int, _ counter: UInt64, at moment: Interval) -> Rejection? {
            pair.link.run(until: start + moment)
            let data = ScriptedPeer.data(sessions[session], counter, Pair.packet(Int(counter)))
            return pair.bob.receive(Tap.toBob(data), pair.link.now)
        }
        #expect(give(0, 1, at: .seconds(61)) == nil)
        #expect(give(1, 1, at: .seconds(62)) == nil)
        #expect(give(0, 2, at: .milliseconds(179_999)) == nil)
        #expect(give(0, 3, at: .seconds(180)) == .expiredKey)
        #expect(give(1, 2, at: .milliseconds(209_999)) == nil)
        #expect(give(1, 3, at: .seconds(210)) == .expiredKey)
    }

    @Test func `P-5.8 nothing is sent with a session of 180 s: the packet waits for a new one`() {
        let pair = Pair()
        pair.connect()
        let created = pair.aliceView.keypairs.current?.created ?? .never
        pair.link.run(until: created + .milliseconds(179_999))
        pair.link.eve = { $0.type == .data ? [$0] : [] }
        pair.aliceSends(Pair.packet(1))
        pair.link.run(until: created + .seconds(180))
        pair.aliceSends(Pair.packet(2))
        pair.link.run(.seconds(2))
        #expect(pair.sightings(from: pair.alice, .data).count == 2)
        #expect(pair.alice.stagedCount(pair.toBob) == 1)
        pair.link.eve = { [$0] }
        pair.link.run(.seconds(6))
        #expect(pair.bob.delivered.map(\.bytes).last == Pair.packet(2))
    }

    @Test func `P-2.18 whoever takes an initiation gives up its own, and its response comes too late`() throws {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
        pair.aliceSends(Pair.packet(1))
        let seen = eve.consume(initiation: try #require(pair.alice.takeOutput().first).bytes)
        let (late, _) = eve.response(to: try #require(seen))
        pair.alice.receive(Tap.toAlice(eve.initiation(stamp: Self.stamp(1))), pair.link.now)
        #expect(pair.alice.takeOutput().map(\.type) == [.response])
        #expect(pair.alice.receive(Tap.toAlice(late), pair.link.now) == .unknownReceiver)
    }

    @Test func `P-2.18 an initiation sent again makes the first one's response too late`() throws {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
        pair.aliceSends(Pair.packet(1))
        let first = try #require(pair.alice.takeOutput().first).bytes
        pair.link.run(.seconds(6))
        let second = try #require(pair.link.log.first { $0.datagram.type == .initiation }).datagram.bytes
        #expect(first.word(4) != second.word(4))
        let seen = eve.consume(initiation: first)
        let (late, _) = eve.response(to: try #require(seen))
        #expect(pair.alice.receive(Tap.toAlice(late), pair.link.now) == .unknownReceiver)
    }
}
