import Crypto
import Testing
import Wire

@testable import WireGuard

/// Receiver indices: random, unique, typed, each its worker's (P-2.11, P-2.19, S-10).
@Suite struct IndexTests {
    private static func environment(workers: Int, worker: Int, seed: UInt64) -> Engine.Environment {
        Engine.Environment(
            entropy: .predictableForTests(seed: seed), wallTime: { WallTime(seconds: 0, nanoseconds: 0) },
            indices: IndexSpace(workers: workers, entropy: .predictableForTests(seed: 1000)), worker: worker)
    }

    /// Pearson's statistic of counts that should be equal.
    private static func chiSquare(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    }

    @Test func `P-2.11, S-10 a hundred thousand indices are unique and spread evenly`() {
        let environment = Self.environment(workers: 1, worker: 0, seed: 3)
        var table = IndexTable()
        var counts = [[Int]](repeating: [Int](repeating: 0, count: 256), count: 4)
        let number = 100_000
        for slot in 0..<number {
            let index = table.draw(environment)
            table.insert(handshakeOf: slot, index)
            for position in 0..<4 { counts[position][Int(index >> (8 * UInt32(position)) & 255)] += 1 }
        }
        #expect(table.count == number)
        // 255 degrees of freedom: mean 255, standard deviation 22.6.
        for count in counts { #expect(Self.chiSquare(count) < 255 + 5 * 22.6) }
    }

    @Test func `P-2.11 an index that is taken is not drawn again`() {
        let space = IndexSpace(workers: 1, entropy: .predictableForTests(seed: 1))
        var asked: [UInt32] = []
        let drawn = space.draw(worker: 0, entropy: .predictableForTests(seed: 2)) {
            asked.append($0)
            return asked.count > 3
        }
        #expect(asked.count == 4 && asked.last == drawn)
    }

    @Test(arguments: [2, 3, 4, 5])
    func `P-2.11 with several workers an index names the one that drew it, and nobody gets more than his share`(
        workers: Int
    ) {
        let number = 20_000
        var shares = [Int](repeating: 0, count: workers)
        var sequential = shares
        for worker in 0..<workers {
            let environment = Self.environment(workers: workers, worker: worker, seed: UInt64(50 + worker))
            for _ in 0..<2000 {
                #expect(environment.indices.owner(of: IndexTable().draw(environment)) == worker)
            }
        }
        let space = Self.environment(workers: workers, worker: 0, seed: 1).indices
        let entropy = Entropy.predictableForTests(seed: 77)
        for index in 0..<number {
            shares[space.owner(of: entropy.uint32())] += 1
            sequential[space.owner(of: UInt32(index))] += 1
        }
        #expect(Self.chiSquare(shares) < 30)
        for share in sequential { #expect(share > number / workers / 2) }
    }

    @Test func `P-2.11 the handshake's index becomes the session's`() throws {
        let pair = Pair()
        pair.connect()
        let initiation = try #require(pair.link.log.first?.datagram.bytes)
        #expect(pair.aliceView.keypairs.current?.localIndex == initiation.word(4))
        #expect(pair.alice.engine.index.handshake(initiation.word(4)) == nil)
        #expect(pair.alice.engine.index.count == 1 && pair.bob.engine.index.count == 1)
    }

    @Test func `P-2.19 a response never meets a session, nor data a handshake`() throws {
        let pair = Pair()
        pair.connect()
        let response = try #require(pair.link.log.dropFirst().first?.datagram)
        #expect(pair.alice.receive(response, pair.link.now) == .unknownReceiver)

        let fresh = Pair()
        fresh.aliceSends(Pair.packet(1))
        let initiation = try #require(fresh.alice.takeOutput().first?.bytes)
        let data = [4, 0, 0, 0] + initiation[4..<8] + [UInt8](repeating: 0, count: 24)
        #expect(fresh.alice.receive(Tap.toAlice(data), fresh.link.now) == .unknownReceiver)
    }

    @Test func `P-2.11 sessions that end give their indices back`() {
        let pair = Pair()
        // A new session every 121 s for an hour, then silence until the keys are wiped.
        pair.link.every(.seconds(11), times: 330) { pair.aliceSends(Pair.packet($0)) }
        for _ in 0..<360 {
            pair.link.run(.seconds(10))
            #expect(pair.alice.engine.index.count <= 4 && pair.bob.engine.index.count <= 4)
        }
        pair.link.run(.seconds(700))
        #expect(pair.alice.engine.index.count == 0 && pair.bob.engine.index.count == 0)
        pair.connect()
        pair.alice.engine.remove(pair.toBob)
        pair.bob.engine.remove(pair.toAlice)
        #expect(pair.alice.engine.index.count == 0 && pair.bob.engine.index.count == 0)
    }
}
