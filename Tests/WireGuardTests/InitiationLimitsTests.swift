import Testing
import Wire

@testable import WireGuard

/// How often handshake messages are taken and sent (P-2.8 to P-2.10).
@Suite struct InitiationLimitsTests {
    private static let bobPublic = HandshakeTests.bobPublic

    @Test func `P-2.8 only a stamp greater than the greatest is taken`() {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.aliceKey, remote: Self.bobPublic)
        let table: [(seconds: UInt64, nanoseconds: UInt32, taken: Bool)] = [
            (100, 0, true), (100, 0, false), (99, 999_999_999, false), (100, 1, true), (100, 0, false),
            (101, 0, true), (1, 0, false), (100, 999_999_999, false), (1 << 40, 0, true), (102, 0, false),
        ]
        for (step, row) in table.enumerated() {
            let stamp = ScriptedPeer.stamp(seconds: row.seconds, nanoseconds: row.nanoseconds)
            let answers = Tap(pair).give(eve.initiation(stamp: stamp))
            #expect(answers.count == (row.taken ? 1 : 0), "step \(step)")
            pair.link.run(.seconds(1))
        }
        #expect(pair.bob.rejections == [.replayedInitiation: 6])
    }

    @Test func `P-2.8 a recorded initiation is refused as it stands, and changes nothing`() throws {
        let pair = Pair()
        pair.connect()
        let recorded = try #require(pair.link.log.first?.datagram)
        let before = EngineState(pair.bob.engine)
        #expect(pair.bob.receive(recorded, pair.link.now) == .replayedInitiation)
        #expect(EngineState(pair.bob.engine) == before)
        #expect(pair.bob.takeOutput().isEmpty)
    }

    @Test func `P-2.9 initiations of one peer less than 20 ms apart are refused, and leave no mark`() {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.aliceKey, remote: Self.bobPublic)
        let start = pair.link.now
        let table: [(nanoseconds: UInt64, seconds: UInt64, taken: Bool)] = [
            (0, 10, true), (1, 11, false), (19_999_999, 20, false), (20_000_000, 11, true),
            (39_999_999, 30, false), (40_000_000, 12, true), (1_000_000_000, 13, true),
        ]
        for row in table {
            pair.link.run(until: start + Interval(nanoseconds: row.nanoseconds))
            let answers = Tap(pair).give(eve.initiation(stamp: ScriptedPeer.stamp(seconds: row.seconds)))
            #expect(answers.count == (row.taken ? 1 : 0), "\(row)")
        }
        #expect(pair.bob.rejections == [.tooManyInitiations: 3])
    }

    @Test func `P-2.10 initiations keep five seconds apart, however many packets want one`() {
        let pair = Pair()
        pair.link.eve = { _ in [] }
        pair.link.every(.milliseconds(50), times: 600) { pair.aliceSends(Pair.packet($0)) }
        pair.link.run(.seconds(30))
        let times = pair.sightings(from: pair.alice, .initiation).map(\.at)
        #expect(times.count == 6)
        for (a, b) in zip(times, times.dropFirst()) { #expect(b - a >= .seconds(5)) }
    }

    @Test func `P-2.10 a response counts too: the initiation it holds back is sent when it may be`() throws {
        let pair = Pair()
        var eve = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
        let start = pair.link.now
        pair.alice.receive(Tap.toAlice(eve.initiation(stamp: ScriptedPeer.stamp(seconds: 1))), start)
        #expect(pair.alice.takeOutput().map(\.type) == [.response])
        // The response got lost, say. A packet that comes now must not wait for another one to come along.
        pair.link.run(.seconds(1))
        pair.aliceSends(Pair.packet(1))
        pair.link.run(.milliseconds(4500))
        let times = pair.sightings(from: pair.alice, .initiation).map { $0.at - start }
        #expect(times.count == 1)
        #expect(times.allSatisfy { $0 >= .seconds(5) && $0 <= .milliseconds(5338) })
        #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(1)])
    }

    /// Both begin at once, so that both answer and each gives its own handshake up; a moment apart, in either order.
    @Test(arguments: [0, 1, 20, 150, 300] as [UInt64])
    func `P-2.18 crossing initiations end in a session both ways, on quick paths and slow ones`(delay: UInt64) {
        for lead in [-1, 0, 1] {
            let pair = Pair(seed: 7 + delay)
            pair.link.weather.delay = .milliseconds(delay)
            pair.link.at(pair.link.now + .microseconds(UInt64(1000 + lead * 500))) { pair.aliceSends(Pair.packet(1)) }
            pair.link.at(pair.link.now + .microseconds(1000)) { pair.bobSends(Pair.packet(2)) }
            pair.link.run(.seconds(60))
            #expect(pair.bob.delivered.map(\.bytes) == [Pair.packet(1)], "\(delay) ms, lead \(lead)")
            #expect(pair.alice.delivered.map(\.bytes) == [Pair.packet(2)], "\(delay) ms, lead \(lead)")
            #expect(pair.alice.engine.index.count <= 4 && pair.bob.engine.index.count <= 4)
        }
    }
}
