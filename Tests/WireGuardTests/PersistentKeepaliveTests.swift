import Testing
import Wire

@testable import WireGuard

/// The interval that the user sets (P-5.5, P-5.12).
@Suite struct PersistentKeepaliveTests {
    private static let interval = Interval.seconds(25)

    @Test func `P-5.12 the first one goes out at once, and brings a session about`() {
        let pair = Pair(alice: Pair.Side(keepalive: Self.interval))
        pair.link.run(.seconds(1))
        #expect(pair.link.log.first?.at == Instant(nanoseconds: 1_000_000_000_000))
        #expect(pair.aliceView.keypairs.current != nil)
    }

    @Test func `P-5.5 one an interval after whatever went either way, and none while there is traffic`() throws {
        let pair = Pair(alice: Pair.Side(keepalive: Self.interval))
        pair.link.run(.seconds(1))
        let confirmation = try #require(pair.link.log.last).at
        pair.link.run(until: confirmation + .seconds(60))
        let first = (confirmation + Self.interval).onTick
        let times = pair.sightings(from: pair.alice, .data).map(\.at)
        #expect(times == [confirmation, first, (first + Self.interval).onTick])

        let start = pair.link.now
        pair.link.every(.seconds(8), times: 6) { step in
            if step % 2 == 0 { pair.aliceSends(Pair.packet(step)) } else { pair.bobSends(Pair.packet(step)) }
        }
        pair.link.run(.seconds(45))
        #expect(pair.sightings(from: pair.alice, .data, since: start).allSatisfy { !$0.datagram.isKeepalive })
    }

    @Test func `P-5.5 it goes on for days: an idle pair keeps a session, and only its initiator renews it`() {
        let pair = Pair(alice: Pair.Side(keepalive: Self.interval), bob: Pair.Side(knowsEndpoint: false))
        pair.link.run(.seconds(3600))
        #expect(pair.sightings(from: pair.bob, .initiation).isEmpty)
        let renewals = pair.sightings(from: pair.alice, .initiation).count
        // With a packet every 25 s, the first after 120 s is at 125 s.
        #expect(renewals == 3600 / 125 + 1)
        #expect(pair.alice.rejections.isEmpty && pair.bob.rejections.isEmpty)
    }

    @Test(arguments: [10, 100, 170, 300, 1000, 4000] as [UInt64])
    func `a path that was dead for so long is used again, by itself`(outage: UInt64) {
        let pair = Pair(seed: outage, alice: Pair.Side(keepalive: Self.interval))
        pair.link.run(.seconds(50))
        pair.link.eve = { _ in [] }
        pair.link.run(.seconds(outage))
        pair.link.eve = { [$0] }
        pair.link.run(.seconds(31))
        pair.bobSends(Pair.packet(1))
        pair.link.run(.seconds(6))
        #expect(pair.alice.delivered.map(\.bytes) == [Pair.packet(1)])
    }

    @Test func `P-5.12 switched on while it runs it speaks at once, switched off it falls silent`() {
        let pair = Pair()
        pair.connect()
        pair.link.run(.seconds(20))
        let start = pair.link.now
        pair.alice.engine.setPersistentKeepalive(pair.toBob, .seconds(3), start)
        pair.alice.settle(start)
        pair.link.run(.seconds(10))
        #expect(pair.sightings(from: pair.alice, since: start).count == 4)
        pair.alice.engine.setPersistentKeepalive(pair.toBob, .seconds(0), pair.link.now)
        let off = pair.link.now
        pair.link.run(.seconds(60))
        #expect(pair.sightings(from: pair.alice, since: off).isEmpty)
    }

    @Test func `a peer without an endpoint is not greeted, and learns where we are from its own initiation`() {
        let pair = Pair(alice: Pair.Side(knowsEndpoint: false, keepalive: .seconds(1)))
        pair.link.run(.seconds(5))
        #expect(pair.link.log.isEmpty)
        pair.bobSends(Pair.packet(1))
        pair.link.run(.seconds(3))
        #expect(pair.alice.delivered.count == 1)
        #expect(pair.sightings(from: pair.alice, .data).count >= 2)
    }
}
