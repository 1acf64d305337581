import Crypto
import Testing
import Wire

@testable import WireGuard

/// Keys leave memory when their time is over (P-2.20, P-5.4, P-9.7, S-13).
@Suite struct WipingTests {
    /// The places of a session's two keys, and what stood there.
    @safe private struct Traces {
        weak var keypair: Keypair?
        let places: [UnsafeRawPointer]
        let keys: [[UInt8]]

        init(_ keypair: Keypair) {
            self.keypair = keypair
            unsafe places = [keypair.sendingKey.bytes, keypair.receivingKey.bytes]
            keys = unsafe places.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: 32)) }
        }

        /// Nothing of the keys stands where they were. Another test's secret may: the memory is kept for the next one.
        var areGone: Bool {
            let now = unsafe places.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: 32)) }
            return keypair == nil && zip(now, keys).allSatisfy { $0 != $1 }
        }
    }

    private static func traces(_ node: Node) -> [Traces] {
        node.engine.peers.flatMap { peer in
            [peer?.keypairs.current, peer?.keypairs.previous, peer?.keypairs.next].compactMap { $0.map(Traces.init) }
        }
    }

    @Test func `P-5.4 after 540 s without a new session`() {
        let pair = Pair()
        pair.connect()
        let traces = Self.traces(pair.alice) + Self.traces(pair.bob)
        #expect(traces.count == 2)
        pair.link.run(.seconds(530))
        #expect(traces.allSatisfy { !$0.areGone && $0.keypair != nil })
        pair.link.run(.seconds(15))
        #expect(traces.allSatisfy { $0.areGone })
    }

    @Test func `P-9.7 when the peer is removed`() {
        let pair = Pair()
        pair.connect()
        let traces = Self.traces(pair.alice)
        pair.alice.engine.remove(pair.toBob)
        #expect(traces.count == 1)
        #expect(traces.allSatisfy { $0.areGone })
    }

    @Test func `P-2.14 when two newer sessions have come`() {
        let pair = Pair()
        pair.connect()
        let traces = Self.traces(pair.alice) + Self.traces(pair.bob)
        pair.link.every(.seconds(1), times: 250) { pair.aliceSends(Pair.packet($0)) }
        pair.link.run(.seconds(200))
        #expect(traces.allSatisfy { $0.keypair != nil })
        pair.link.run(.seconds(50))
        #expect(traces.allSatisfy { $0.areGone })
    }
}
