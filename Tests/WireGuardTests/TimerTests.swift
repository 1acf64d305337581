import Testing
import Wire

@testable import WireGuard

/// Each timer at its moment (P-5). A timer fires in the wheel's tick after its deadline: `onTick`.
@Suite struct TimerTests {
    private static let tick = Interval(nanoseconds: 1 << 22)
    /// Five seconds and up to a third of one.
    private static let retry = Interval.seconds(5)...(Interval.milliseconds(5333) + tick)

    @Test func `P-5.1, P-5.9 twenty initiations, then what waits is dropped and nothing more is sent`() throws {
        let pair = Pair()
        pair.link.eve = { _ in [] }
        let start = pair.link.now
        for number in 0..<3 { pair.aliceSends(Pair.packet(number)) }
        pair.link.run(.seconds(2000))
        let times = pair.sightings(from: pair.alice).map(\.at)
        #expect(times.count == 20)
        #expect(times.first == start)
        var gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        let end = try #require(pair.alice.notes.first)
        #expect(end.event == .handshakeGivenUp)
        gaps.append(end.at - times[times.count - 1])
        for gap in gaps { #expect(Self.retry.contains(gap)) }
        // Jitter: not all alike, and spread over its range.
        #expect(Set(gaps).count > 10)
        #expect((gaps.max() ?? .seconds(0)) - (gaps.min() ?? .seconds(0)) > .milliseconds(150))
        #expect(pair.alice.purged == 3 && pair.alice.stagedCount(pair.toBob) == 0)
        // What is left of the handshake is wiped after another 540 s.
        #expect(pair.alice.notes.map(\.event) == [.handshakeGivenUp, .keysWiped])
        #expect(pair.alice.notes.last?.at == (end.at + .seconds(540)).onTick)
        #expect(pair.alice.engine.index.count == 0 && pair.alice.engine.nextDeadline == .never)
    }

    @Test func `P-5.1 a new packet after giving up begins anew`() {
        let pair = Pair()
        pair.link.eve = { _ in [] }
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(200))
        pair.link.eve = { [$0] }
        pair.aliceSends(Pair.packet(2))
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(2)])
    }

    @Test func `P-5.2 ten seconds after data that nobody answered, one keepalive, and no ping-pong after it`() throws {
        let pair = Pair()
        pair.connect()
        let arrival = try #require(pair.bob.delivered.first).at
        pair.link.run(.seconds(530))
        #expect(pair.link.log.map(\.datagram.bytes.count) == [148, 92, 80, 32])
        let keepalive = try #require(pair.link.log.last)
        #expect(keepalive.datagram.source == Pair.bobEndpoint)
        #expect(keepalive.at == (arrival + .seconds(10)).onTick)
    }

    @Test func `P-5.2 more data meanwhile: another keepalive ten seconds after the first`() throws {
        let pair = Pair()
        pair.connect()
        let arrival = try #require(pair.bob.delivered.first).at
        pair.link.at(arrival + .seconds(9)) { pair.aliceSends(Pair.packet(1)) }
        pair.link.run(.seconds(100))
        let keepalives = pair.sightings(from: pair.bob, .data)
        let first = (arrival + .seconds(10)).onTick
        #expect(keepalives.map(\.at) == [first, (first + .seconds(10)).onTick])
        #expect(keepalives.allSatisfy { $0.datagram.isKeepalive })
    }

    @Test func `P-5.2 anything sent takes the keepalive's place`() throws {
        let pair = Pair()
        pair.connect()
        let arrival = try #require(pair.bob.delivered.first).at
        pair.link.at(arrival + .milliseconds(9990)) { pair.bobSends(Pair.packet(1)) }
        pair.link.run(.seconds(15))
        #expect(pair.sightings(from: pair.bob, .data).allSatisfy { !$0.datagram.isKeepalive })
        // Alice answers that one in her turn.
        pair.link.run(.seconds(10))
        #expect(pair.sightings(from: pair.alice, .data).filter(\.datagram.isKeepalive).count == 1)
    }

    @Test func `P-5.3 data that stays without any answer brings a new handshake after fifteen seconds`() {
        let pair = Pair()
        pair.connect()
        pair.link.run(.seconds(30))
        pair.link.eve = { $0.source == Pair.bobEndpoint ? [] : [$0] }
        let start = pair.link.now
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.seconds(7))
        pair.aliceSends(Pair.packet(2))
        pair.link.run(.seconds(10))
        let initiations = pair.sightings(from: pair.alice, .initiation, since: start)
        #expect(initiations.count == 1)
        let expected = Interval.seconds(15)...(Interval.milliseconds(15_333) + Self.tick)
        #expect(initiations.allSatisfy { expected.contains($0.at - start) })
    }

    @Test func `P-5.3 a keepalive is answer enough`() {
        let pair = Pair()
        pair.connect()
        for number in 0..<5 {
            pair.aliceSends(Pair.packet(number))
            pair.link.run(.seconds(20))
        }
        #expect(pair.sightings(from: pair.alice, .initiation).count == 1)
    }

    @Test func `P-5.4, P-2.20 keys that are not replaced for 540 s are wiped, to the moment`() {
        let pair = Pair()
        pair.connect()
        let derived = [pair.bob, pair.alice].map { node in
            node.engine.peers.compactMap { $0?.keypairs.current?.created }.first ?? .never
        }
        for (node, moment) in zip([pair.bob, pair.alice], derived) {
            pair.link.run(until: Instant(nanoseconds: (moment + .seconds(540)).onTick.nanoseconds - 1))
            #expect(!node.notes.contains { $0.event == .keysWiped })
            pair.link.run(until: (moment + .seconds(540)).onTick)
            #expect(node.notes.last?.event == .keysWiped)
            #expect(node.engine.index.count == 0)
            #expect(node.engine.nextDeadline == .never)
        }
    }

    @Test func `P-5.6 the initiator asks for a new session with the first packet after 120 s, the responder does not`()
        throws
    {
        let pair = Pair()
        pair.connect()
        let created = try #require(pair.aliceView.keypairs.current).created
        let start = pair.link.now
        pair.link.at(created + .milliseconds(119_999)) { pair.aliceSends(Pair.packet(1)) }
        pair.link.at(created + .milliseconds(119_999)) { pair.bobSends(Pair.packet(2)) }
        pair.link.at(created + .milliseconds(120_001)) { pair.bobSends(Pair.packet(3)) }
        pair.link.run(until: created + .milliseconds(120_005))
        #expect(pair.sightings(from: pair.alice, .initiation, since: start).isEmpty)
        pair.aliceSends(Pair.packet(4))
        pair.link.run(.seconds(1))
        #expect(pair.sightings(from: pair.alice, .initiation, since: start).count == 1)
        #expect(pair.sightings(from: pair.bob, .initiation).isEmpty)
    }

    @Test(arguments: [164_999, 165_000] as [UInt64])
    func `P-5.7 an initiator that has only received asks when data arrives after 165 s, once`(arrival: UInt64) throws {
        let pair = Pair()
        pair.connect()
        let created = try #require(pair.aliceView.keypairs.current).created
        pair.link.run(until: created + .seconds(150))
        pair.link.eve = { $0.source == Pair.aliceEndpoint ? [] : [$0] }
        for later in [0, 100, 200] as [UInt64] {
            // 20 ms on the wire.
            pair.link.at(created + .milliseconds(arrival + later - 20)) {
                if later == 0 || arrival > 164_999 { pair.bobSends(Pair.packet(1)) }
            }
        }
        let start = pair.link.now
        pair.link.run(until: created + .seconds(170))
        let initiations = pair.sightings(from: pair.alice, .initiation, since: start)
        #expect(initiations.map(\.at) == (arrival < 165_000 ? [] : [created + .milliseconds(arrival)]))
    }

    @Test func `P-5.7 data that comes after it has asked does not prolong its attempts`() throws {
        let pair = Pair()
        pair.connect()
        let created = try #require(pair.aliceView.keypairs.current).created
        pair.link.run(until: created + .seconds(150))
        pair.link.eve = { $0.source == Pair.aliceEndpoint || $0.type != .data ? [] : [$0] }
        for arrival in [165, 179] as [UInt64] {
            pair.link.at(created + .seconds(arrival)) { pair.bobSends(Pair.packet(1)) }
        }
        let start = pair.link.now
        pair.link.run(.seconds(300))
        #expect(pair.sightings(from: pair.alice, .initiation, since: start).count == 20)
    }

    @Test func `P-5.6 to P-5.8 ages, to the nanosecond`() {
        let keypair = KeypairsTests.keypair(1, isInitiator: true)
        let responder = KeypairsTests.keypair(2, isInitiator: false)
        let table: [(nanoseconds: UInt64, send: Bool, receive: Bool, expired: Bool)] = [
            (0, false, false, false), (119_999_999_999, false, false, false), (120_000_000_000, true, false, false),
            (164_999_999_999, true, false, false), (165_000_000_000, true, true, false),
            (179_999_999_999, true, true, false), (180_000_000_000, true, true, true),
        ]
        for row in table {
            let now = Instant(nanoseconds: row.nanoseconds)
            #expect(keypair.wantsRekeyOnSend(now) == row.send, "\(row)")
            #expect(keypair.wantsRekeyOnReceive(now) == row.receive, "\(row)")
            #expect(keypair.isExpired(now) == row.expired && responder.isExpired(now) == row.expired, "\(row)")
            #expect(!responder.wantsRekeyOnSend(now) && !responder.wantsRekeyOnReceive(now), "\(row)")
        }
    }

    @Test func `P-5.11 a peer that is removed does nothing any more`() {
        let pair = Pair(alice: Pair.Side(keepalive: .seconds(5)))
        pair.link.run(.seconds(12))
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.milliseconds(1))
        pair.alice.engine.remove(pair.toBob)
        #expect(pair.alice.engine.nextDeadline == .never)
        let removed = pair.link.now
        pair.link.run(.seconds(700))
        #expect(pair.sightings(from: pair.alice, since: removed + .microseconds(1)).isEmpty)
        #expect(pair.alice.engine.snapshot(pair.link.now).isEmpty)
    }
}
