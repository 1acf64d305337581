import Testing
import Wire

@testable import WireGuard

/// A machine that was suspended, or copied while it ran (P-9.3, P-9.4, S-31).
@Suite struct ForgettingTests {
    /// Every data message on the wire: under which receiver index, with which counter.
    private struct Use: Hashable {
        let receiver: UInt32
        let counter: [UInt8]
    }

    private static func uses(_ sightings: [Link.Sighting]) -> [Use] {
        sightings.map { Use(receiver: $0.datagram.bytes.word(4), counter: Array($0.datagram.bytes[8..<16])) }
    }

    @Test func `P-9.3 nothing of before is sent or understood after it, and traffic begins anew`() throws {
        let pair = Pair()
        pair.connect()
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(1))
        let before = Self.uses(pair.sightings(from: pair.alice, .data))
        // Bob's, on its way while it happens.
        pair.bobSends(Pair.packet(9))
        let late = try #require(pair.bob.takeOutput().first { $0.type == .data })
        pair.alice.engine.forgetSessions(pair.link.now)
        pair.alice.settle(pair.link.now)
        #expect(pair.aliceView.keypairs.current == nil && pair.aliceView.keypairs.previous == nil)
        #expect(pair.alice.engine.index.count == 0)
        #expect(pair.alice.receive(late, pair.link.now) == .unknownReceiver)
        pair.aliceSends(Pair.packet(2))
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.last?.bytes == Pair.packet(2), "without the five seconds between two handshakes")
        let after = Self.uses(pair.sightings(from: pair.alice, .data)).dropFirst(before.count)
        #expect(Set(before).isDisjoint(with: after))
    }

    @Test func `P-9.3 what waited for a session before is sent after, though nothing else happens`() throws {
        let pair = try TunnelPair()
        pair.passage = { _ in nil }
        try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        pair.settle()
        pair.alice.forgetSessions(at: pair.now)
        pair.passage = { $0.bytes }
        try pair.run(for: .seconds(10))
        #expect(pair.delivered[.bob]?.map(TunnelPair.number) == [1])
    }

    @Test func `P-9.4 of two copies of a machine, neither uses a counter that the other one has used`() throws {
        let pair = Pair()
        pair.connect()
        // What the copy would seal next, had it not been told.
        let keypair = try #require(pair.aliceView.keypairs.current)
        let next = keypair.nextCounter
        pair.alice.engine.directory.beginEpoch()
        pair.alice.engine.forgetSessions(pair.link.now)
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(2))
        #expect(keypair.nextCounter == next, "the old key was not touched")
        #expect(pair.bob.delivered.last?.bytes == Pair.packet(1))
        #expect(pair.aliceView.keypairs.current !== keypair)
    }

    @Test func `P-9.4 a response that was computed before is not sent after`() throws {
        let pair = Pair()
        pair.aliceSends(Pair.packet(1))
        let initiation = try #require(pair.alice.takeOutput().first).bytes
        let engine = pair.bob.engine
        let answer = try unsafe initiation.withUnsafeBytes {
            try unsafe engine.directory.answer(
                $0.baseAddress.unsafelyUnwrapped, indices: engine.environment.indices,
                entropy: engine.environment.entropy, pair.link.now)
        }
        engine.directory.beginEpoch()
        engine.forgetSessions(pair.link.now)
        #expect(engine.finish(answer, from: Path(remote: Pair.aliceEndpoint), pair.link.now) == .overtaken)
        #expect(engine.outbox.isEmpty && engine.index.count == 0)
    }

    @Test func `what was staged goes out with the next session, and persistent keepalives bring one`() throws {
        var side = Pair.Side()
        side.keepalive = .seconds(20)
        let pair = Pair(alice: side)
        pair.connect()
        pair.link.run(.seconds(5))
        pair.alice.engine.forgetSessions(pair.link.now)
        pair.alice.settle(pair.link.now)
        pair.link.run(.seconds(25))
        #expect(pair.aliceView.keypairs.current != nil)
        #expect(pair.bobView.keypairs.current != nil)
    }
}
