import Pipeline
import Testing
import Wire

@testable import PacketPath
@testable import WireGuard

/// What waits for the threads that compute handshakes, and who gives way to whom (S-6).
@Suite struct HandshakeQueueTests {
    /// A queue that expectations can ask; each message is told by a number that stands in it.
    private final class Queue {
        private var queue = HandshakeQueue()

        func append(_ number: UInt8, cookie: Bool) -> Bool {
            var bytes = [UInt8](repeating: 0, count: 148)
            bytes[0] = 1
            bytes[4] = number
            if cookie { bytes[147] = 1 }
            let message = unsafe bytes.withUnsafeBytes {
                unsafe HandshakeMessage(
                    $0.baseAddress.unsafelyUnwrapped, .initiation,
                    from: Path(remote: Endpoint(address: IPAddress(v4: 1), port: 1)))
            }
            return queue.append(
                HandshakeQueue.Entry(work: .initiation(message), interface: InterfaceID(0), worker: 0))
        }

        func popFirst() -> UInt8? {
            guard case .initiation(let message)? = queue.popFirst()?.work else { return nil }
            return message.withBytes { unsafe $0.load(fromByteOffset: 4, as: UInt8.self) }
        }

        var waiting: Int { queue.strangersWaiting }
        var isEmpty: Bool { queue.isEmpty }
    }

    @Test func `S-6 a full queue of initiations without a cookie has room for one with a cookie, which comes soon`() {
        let queue = Queue()
        for _ in 0..<Limits.handshakeQueue { #expect(queue.append(1, cookie: false)) }
        #expect(!queue.append(2, cookie: false), "no more of them")
        #expect(queue.append(3, cookie: true))
        #expect(queue.waiting == Limits.handshakeQueue + 1)
        #expect([queue.popFirst(), queue.popFirst()].contains(3))
    }

    @Test func `S-6 nor do initiations with random mac2s keep those without away`() {
        let queue = Queue()
        for _ in 0..<Limits.vouchedHandshakeQueue { #expect(queue.append(1, cookie: true)) }
        #expect(!queue.append(2, cookie: true), "no more of them")
        for _ in 0..<3 { #expect(queue.append(3, cookie: false)) }
        let first = (0..<6).map { _ in queue.popFirst() }
        #expect(first.filter { $0 == 3 }.count == 3)
    }

    @Test func whatIsLeftOfEitherKindComesInOrder() {
        let queue = Queue()
        for number in UInt8(1)...3 { #expect(queue.append(number, cookie: false)) }
        #expect(queue.append(9, cookie: true))
        var all: [UInt8] = []
        while let number = queue.popFirst() { all.append(number) }
        #expect(all.filter { $0 < 9 } == [1, 2, 3] && all.contains(9) && all.count == 4)
        #expect(queue.isEmpty && queue.waiting == 0)
    }
}
