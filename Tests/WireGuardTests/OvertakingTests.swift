import Crypto
import Testing
import Wire

@testable import WireGuard

/// Computations that come back after something else has happened: nothing of them may be used.
@Suite struct OvertakingTests {
    /// Bob's engine, and what it makes of initiations of Alice's in an order of the test's.
    private struct Scene {
        let pair = Pair()
        let path = Path(remote: Pair.aliceEndpoint)

        func initiation() throws -> [UInt8] {
            pair.alice.engine.peer(pair.toBob)?.lastHandshakeSent = nil
            pair.alice.engine.wantHandshake(try #require(pair.alice.engine.peer(pair.toBob)), pair.link.now)
            pair.alice.settle(pair.link.now)
            return try #require(pair.alice.takeOutput().last).bytes
        }

        func answer(_ initiation: [UInt8], at now: Instant) throws -> AnsweredInitiation {
            let engine = pair.bob.engine
            return try unsafe initiation.withUnsafeBytes {
                try unsafe engine.directory.answer(
                    $0.baseAddress.unsafelyUnwrapped, indices: engine.environment.indices,
                    entropy: engine.environment.entropy, now)
            }
        }
    }

    @Test func `of two initiations that are computed in the wrong order the later one counts`() throws {
        let scene = Scene()
        let now = scene.pair.link.now
        let first = try scene.answer(try scene.initiation(), at: now)
        let second = try scene.answer(try scene.initiation(), at: now + .seconds(1))
        let engine = scene.pair.bob.engine
        #expect(engine.finish(second, from: scene.path, now) == nil)
        let next = engine.peer(scene.pair.toAlice)?.keypairs.next?.localIndex
        #expect(engine.finish(first, from: scene.path, now) == .overtaken)
        #expect(engine.peer(scene.pair.toAlice)?.keypairs.next?.localIndex == next)
        #expect(engine.finish(second, from: scene.path, now) == .overtaken, "once only")
    }

    @Test func `P-2.11 an index that somebody has is not used a second time`() throws {
        let scene = Scene()
        let answer = try scene.answer(try scene.initiation(), at: scene.pair.link.now)
        scene.pair.bob.engine.index.insert(handshakeOf: 0, answer.localIndex)
        #expect(scene.pair.bob.engine.finish(answer, from: scene.path, scene.pair.link.now) == .overtaken)
    }

    @Test func `S-19 a peer that was removed meanwhile, or is another one now, gets nothing`() throws {
        let scene = Scene()
        let now = scene.pair.link.now
        let answer = try scene.answer(try scene.initiation(), at: now)
        let engine = scene.pair.bob.engine
        engine.remove(scene.pair.toAlice)
        #expect(engine.finish(answer, from: scene.path, now) == .overtaken)
        Pair.introduce(scene.pair.bob, scene.pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(), now)
        #expect(engine.finish(answer, from: scene.path, now) == .overtaken)
        #expect(engine.index.count == 0 && engine.outbox.isEmpty)
    }

    @Test func `S-19 an initiation of ours that comes too late is not sent`() throws {
        let pair = Pair()
        let engine = pair.alice.engine
        engine.wantHandshake(try #require(engine.peer(pair.toBob)), pair.link.now)
        guard case .compute(let task) = engine.outbox.take().first else {
            Issue.record("nothing to compute")
            return
        }
        engine.remove(pair.toBob)
        engine.finish(task.run(), pair.link.now)
        #expect(engine.outbox.isEmpty && engine.index.count == 0)
    }

    @Test func `a response that answers what is not out any more is dropped`() throws {
        let scene = Scene()
        let pair = scene.pair
        let answer = try scene.answer(try scene.initiation(), at: pair.link.now)
        #expect(pair.bob.engine.finish(answer, from: scene.path, pair.link.now) == nil)
        pair.bob.settle(pair.link.now)
        let response = try #require(pair.bob.takeOutput().first { $0.type == .response }).bytes
        let engine = pair.alice.engine
        let concluded = try unsafe response.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress.unsafelyUnwrapped
            return try unsafe #require(engine.handshake(for: start)).conclude(start)
        }
        // Bob begins one himself meanwhile, which takes the place of Alice's.
        engine.abandonHandshake(try #require(engine.peer(pair.toBob)))
        #expect(engine.finish(concluded, from: Path(remote: Pair.bobEndpoint), pair.link.now) == .overtaken)
        #expect(engine.peer(pair.toBob)?.keypairs.current == nil)
    }
}
