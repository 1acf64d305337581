import Testing
import Wire

@testable import WireGuard

/// What waits for a session (P-4.13), and what the byte counters count (P-4.24).
@Suite struct StagingTests {
    @Test func `P-4.13 the oldest of 130 packets give way, the rest go out in order`() {
        let pair = Pair()
        for number in 0..<130 { pair.aliceSends(Pair.packet(number)) }
        #expect(pair.alice.stagedCount(pair.toBob) == 128)
        #expect(pair.alice.displaced == 2)
        pair.link.run(.seconds(1))
        #expect(pair.bob.delivered.map(\.bytes) == (2..<130).map { Pair.packet($0) })
        #expect(pair.alice.stagedCount(pair.toBob) == 0)
    }

    @Test func `P-4.13 a queue keeps order round its end, and hands back what gives way`() {
        var queue = StagedQueue<Int>(bound: 4)
        var oracle: [Int] = []
        for number in 0..<100 {
            let displaced = queue.append(number)
            oracle.append(number)
            #expect(displaced == (oracle.count > 4 ? oracle.removeFirst() : nil))
            if number % 3 == 0 {
                let first = queue.popFirst()
                #expect(first == oracle.removeFirst())
            }
            let count = queue.count
            #expect(count == oracle.count)
        }
        while let first = queue.popFirst() { #expect(first == oracle.removeFirst()) }
        #expect(oracle.isEmpty)
    }

    @Test func `P-4.24 ten pings of 56 bytes: 1372 received, 1428 sent`() throws {
        let pair = Pair()
        pair.link.every(.milliseconds(100), times: 10) { _ in pair.aliceSends([UInt8](repeating: 0x45, count: 84)) }
        // Bob answers each one 50 ms later, when there is a session.
        pair.link.at(pair.link.now + .milliseconds(90)) {
            pair.link.every(.milliseconds(100), times: 10) { _ in pair.bobSends([UInt8](repeating: 0x45, count: 84)) }
        }
        pair.link.run(.seconds(2))
        let alice = try #require(pair.alice.engine.snapshot(pair.link.now).first)
        let bob = try #require(pair.bob.engine.snapshot(pair.link.now).first)
        #expect(alice.received == 1372 && alice.sent == 1428)
        #expect(bob.received == 1428 && bob.sent == 1372)
        #expect(alice.hasSession && bob.hasSession && alice.lastHandshake?.seconds == 1_700_000_000)
    }

    @Test func `P-4.24 a keepalive counts 32 bytes each way`() throws {
        let pair = Pair()
        pair.connect()
        let before = try #require(pair.alice.engine.snapshot(pair.link.now).first)
        pair.link.run(.seconds(15))
        let after = try #require(pair.alice.engine.snapshot(pair.link.now).first)
        #expect(after.received == before.received + 32 && after.sent == before.sent)
    }
}
