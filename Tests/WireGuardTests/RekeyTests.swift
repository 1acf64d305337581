import Testing
import Wire

@testable import WireGuard

/// Ten minutes of traffic both ways: sessions come and go, packets do not notice.
@Suite struct RekeyTests {
    private static let packets = 2400
    private static let interval = Interval.milliseconds(250)

    private static func traffic(_ weather: Link.Weather, seed: UInt64) -> Pair {
        let pair = Pair(seed: seed)
        pair.link.weather = weather
        pair.connect()
        pair.link.every(interval, times: packets) { step in
            pair.aliceSends(Pair.packet(step))
            pair.bobSends(Pair.packet(step))
        }
        pair.link.run(.seconds(602))
        return pair
    }

    private static func numbers(_ node: Node) -> [[UInt8]] { node.delivered.map(\.bytes) }
    private static let sent = (0..<packets).map { Pair.packet($0) }

    @Test func `no packet is lost, none overtakes another, and nothing is refused`() {
        let pair = Self.traffic(Link.Weather(), seed: 1)
        #expect(Self.numbers(pair.alice) == Self.sent)
        #expect(Array(Self.numbers(pair.bob).dropFirst()) == Self.sent)
        #expect(pair.alice.rejections.isEmpty && pair.bob.rejections.isEmpty)
        #expect(pair.alice.notes.count == 5 && pair.bob.notes.count == 5)
        #expect(pair.sightings(from: pair.bob, .initiation).isEmpty)
        // One to begin with, and one with the first packet after each 120 s.
        #expect(pair.sightings(from: pair.alice, .initiation).count == 5)
    }

    @Test(arguments: [3, 4] as [UInt64])
    func `no packet is lost where they overtake each other and some come twice`(seed: UInt64) {
        var weather = Link.Weather()
        weather.variation = .milliseconds(400)
        weather.duplication = 0.05
        let pair = Self.traffic(weather, seed: seed)
        #expect(Set(Self.numbers(pair.alice)) == Set(Self.sent))
        #expect(Set(Self.numbers(pair.bob)) == Set(Self.sent))
        #expect(pair.alice.delivered.count == Self.packets && pair.bob.delivered.count == Self.packets + 1)
        // Every copy was refused, each for its reason, and nothing but the copies.
        let refused = [pair.alice, pair.bob].reduce(0) { $0 + $1.rejections.values.reduce(0, +) }
        #expect(refused == pair.link.duplicates)
        #expect(Set(pair.alice.rejections.keys).isSubset(of: [.replayed, .unknownReceiver]))
        #expect(Set(pair.bob.rejections.keys).isSubset(of: [.replayed, .replayedInitiation]))
    }

    @Test(arguments: [0.05, 0.3])
    func `where the link loses packets it is the link alone that loses them`(loss: Double) {
        var weather = Link.Weather()
        weather.loss = loss
        let pair = Self.traffic(weather, seed: 5)
        let lost = pair.link.lost.filter { $0.type == .data && !$0.isKeepalive }
        let atAlice = lost.filter { $0.source.port == Pair.bobEndpoint.port }.count
        let atBob = lost.count - atAlice
        #expect(pair.alice.displaced == 0 && pair.bob.displaced == 0)
        #expect(pair.alice.delivered.count + atAlice == Self.packets)
        #expect(pair.bob.delivered.count + atBob == Self.packets + 1)
        let begun = (pair.alice.notes + pair.bob.notes).filter { $0.event == .handshakeCompleted(initiator: true) }
        #expect(begun.count >= 5)
        #expect(pair.alice.rejections.isEmpty)
    }

    @Test func `corrupt bits cost the packets that they are in`() {
        var weather = Link.Weather()
        weather.corruption = 0.2
        let pair = Self.traffic(weather, seed: 6)
        for node in [pair.alice, pair.bob] {
            let refused = node.rejections.values.reduce(0, +)
            #expect(refused > 300)
            #expect(node.delivered.count + refused >= Self.packets)
            #expect(Set(Self.numbers(node)).isSubset(of: Set(Self.sent)))
        }
        #expect(pair.alice.engine.index.count <= 4 && pair.bob.engine.index.count <= 4)
    }

    /// A session lives for 180 s: after a shorter outage packets flow at once, after a longer one as soon as an
    /// initiation, sent every 5 s and a third at most, gets through.
    @Test(arguments: [1, 20, 60, 170, 400] as [UInt64])
    func `traffic resumes within the protocol's bounds after an outage`(outage: UInt64) throws {
        let pair = Pair(seed: 40 + outage)
        pair.connect()
        pair.link.every(.milliseconds(100), times: Int(outage + 40) * 10) { step in
            pair.aliceSends(Pair.packet(step))
            pair.bobSends(Pair.packet(step))
        }
        pair.link.run(.seconds(5))
        pair.link.eve = { _ in [] }
        pair.link.run(.seconds(outage))
        pair.link.eve = { [$0] }
        let back = pair.link.now
        pair.link.run(.seconds(30))
        let bound: Interval = outage < 170 ? .milliseconds(200) : .milliseconds(2 * 5340)
        for node in [pair.alice, pair.bob] {
            let first = try #require(node.delivered.first { $0.at > back })
            #expect(first.at - back <= bound)
            let last = try #require(node.delivered.last)
            #expect(pair.link.now - last.at < .milliseconds(200))
        }
    }

    @Test func `a rekey that both begin at once ends with one session, and costs no more than what is on the wire`() {
        let pair = Pair()
        pair.connect()
        pair.link.run(.seconds(30))
        let start = pair.link.now
        pair.link.every(.milliseconds(50), times: 600) { step in
            pair.aliceSends(Pair.packet(step))
            pair.bobSends(Pair.packet(step))
        }
        pair.link.at(start + .seconds(10)) {
            pair.alice.engine.wantHandshake(pair.aliceView, pair.link.now)
            pair.bob.engine.wantHandshake(pair.bobView, pair.link.now)
            pair.alice.engine.schedule(pair.aliceView)
            pair.bob.engine.schedule(pair.bobView)
            pair.alice.settle(pair.link.now)
            pair.bob.settle(pair.link.now)
        }
        pair.link.run(.seconds(40))
        #expect(pair.alice.delivered.count >= 599 && pair.bob.delivered.count >= 600)
        #expect(pair.alice.engine.index.count <= 3 && pair.bob.engine.index.count <= 3)
    }
}
