import Testing
import Wire

@testable import WireGuard

/// Counters at both ends of their range (P-4.1, P-4.3, P-4.5, S-1, S-2).
@Suite struct CounterTests {
    private static let limit = UInt64.max - 8128 - 1

    @Test func `P-4.1 the limits are the kernel's`() {
        #expect(Protocol.rejectAfterMessages == Self.limit)
        #expect(Protocol.rekeyAfterMessages == 1 << 60)
    }

    @Test func `P-4.5 every counter is given out once, in order`() {
        let pair = Pair()
        pair.connect()
        var expected: UInt64 = 1
        for count in [1, 3, 64, 1, 2] {
            #expect(pair.aliceView.session?.takeCounters(count, pair.link.now) == expected)
            expected += UInt64(count)
        }
    }

    @Test func `P-4.1, P-4.5 the last counter is used, the next one never: a new session takes over`() throws {
        let pair = Pair()
        pair.connect()
        pair.link.run(.seconds(20))
        try #require(pair.aliceView.keypairs.current).skip(to: Self.limit - 2)
        #expect(pair.aliceView.session?.takeCounters(3, pair.link.now) == nil)
        pair.alice.engine.wantSession(pair.aliceView, pair.link.now)
        pair.alice.settle(pair.link.now)
        pair.link.run(.seconds(1))
        let fresh = try #require(pair.aliceView.keypairs.current)
        #expect(fresh.nextCounter < 10)

        fresh.skip(to: Self.limit - 1)
        let start = pair.link.now
        for number in 1...3 { pair.aliceSends(Pair.packet(number)) }
        pair.link.run(.seconds(10))
        let data = pair.sightings(from: pair.alice, .data, since: start).map(\.datagram.bytes)
        #expect(data.count == 3)
        #expect(Array(data[0][8..<16]) == Oracle.little(Self.limit - 1))
        #expect(Array(data[1][8..<16]) == Oracle.little(UInt64(0)))
        #expect(pair.bob.delivered.suffix(3).map(\.bytes) == (1...3).map { Pair.packet($0) })
    }

    @Test func `P-4.5 a session that is used up gives nothing, however much is asked for`() throws {
        let pair = Pair()
        pair.connect()
        let current = try #require(pair.aliceView.keypairs.current)
        current.skip(to: Self.limit)
        for count in [1, 8129, 32_768] { #expect(current.takeCounters(count, pair.link.now) == nil) }
    }

    @Test func `P-5.6 a session is replaced after 2⁶⁰ messages, whoever began it`() throws {
        for initiator in [true, false] {
            let pair = Pair()
            pair.connect()
            pair.link.run(.seconds(20))
            let (node, view) = initiator ? (pair.alice, pair.aliceView) : (pair.bob, pair.bobView)
            try #require(view.keypairs.current).skip(to: 1 << 60 - 1)
            let start = pair.link.now
            let other = initiator ? pair.toBob : pair.toAlice
            node.send(Pair.packet(1), to: other, pair.link.now)
            pair.link.run(.milliseconds(1))
            #expect(pair.sightings(from: node, .initiation, since: start).isEmpty)
            node.send(Pair.packet(2), to: other, pair.link.now)
            pair.link.run(.milliseconds(1))
            #expect(pair.sightings(from: node, .initiation, since: start).count == 1)
        }
    }

    @Test func `P-4.1, P-4.3 a receiver takes counters up to the limit, and forgeries move nothing`() throws {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        let response = try #require(Tap(pair).give(eve.initiation(stamp: ScriptedPeer.stamp(seconds: 1))).first)
        let taken = eve.consume(response: response)
        let session = try #require(taken)
        func give(_ counter: UInt64, forged: Bool = false) -> Rejection? {
            var data = ScriptedPeer.data(session, counter, Pair.packet(1))
            if forged { data[data.count - 1] ^= 1 }
            return pair.bob.receive(Tap.toBob(data), pair.link.now)
        }
        let table: [(counter: UInt64, forged: Bool, expected: Rejection?)] = [
            (0, false, nil), (0, false, .replayed), (Self.limit - 1, true, .forged), (1, false, nil),
            (1 << 40, true, .forged), (2, false, nil), (UInt64.max, false, .replayed), (Self.limit, false, .replayed),
            (Self.limit + 1, false, .replayed), (Self.limit - 1, false, nil), (Self.limit - 1, false, .replayed),
            (3, false, .replayed), (Self.limit - 8128, false, nil), (Self.limit - 8129, false, .replayed),
        ]
        for (step, row) in table.enumerated() {
            #expect(give(row.counter, forged: row.forged) == row.expected, "step \(step)")
        }
    }
}
