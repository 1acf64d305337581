import Testing
import Wire

@testable import WireGuard

/// Handshakes that take long to be computed, because many others wait too.
@Suite struct ComputingTests {
    @Test
    func `P-5.1 an initiation that is still being computed is not asked for again, and is not late when it leaves`()
        throws
    {
        let pair = Pair()
        let engine = pair.alice.engine
        var now = pair.link.now
        func tasks() -> [InitiationTask] {
            engine.outbox.take().compactMap { if case .compute(let task) = $0 { task } else { nil } }
        }
        engine.seekSession(pair.toBob, now)
        let task = try #require(tasks().first)
        for _ in 0..<30 {
            now = now + .seconds(1)
            engine.expire(now)
            engine.seekSession(pair.toBob, now)
            #expect(tasks().isEmpty)
        }
        engine.finish(task.run(), now)
        let sent = engine.outbox.take().filter { if case .send = $0 { true } else { false } }
        #expect(sent.count == 1)
        // The five seconds for its response begin when it has left.
        engine.expire(now + .milliseconds(4_999))
        #expect(tasks().isEmpty)
        engine.expire(now + .milliseconds(5_400))
        #expect(tasks().count == 1)
    }
}
