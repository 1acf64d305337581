import Pipeline
import Testing
import Wire
import WireGuard

@testable import PacketPath

@Suite struct RunBuilderTests {
    private static let here = Path(remote: Endpoint(address: IPAddress(v4: 0xc000_0201), port: 1))

    private static let sealing = SealingRun(PeerID(0), here)

    private struct Message {
        var size: Int
        var peer = 0
        var trafficClass: UInt8 = 0
    }

    private struct Run: Equatable {
        var datagrams: Int
        var bytes: Int
        var size: Int
        var peer = PeerID(0)
    }

    /// What becomes of messages, and that each one's bytes are where they were put.
    private func runs(_ messages: [Message]) -> [Run] {
        let pool = BufferPool()
        var builder = RunBuilder(pool: pool)
        for (number, message) in messages.enumerated() {
            let hasRoom = builder.hasRoom(for: 1, size: message.size)
            #expect(hasRoom)
            let sealing = SealingRun(PeerID(message.peer), Self.here, trafficClass: message.trafficClass)
            let bytes = unsafe builder.messages(1, for: sealing, size: message.size).start
            unsafe bytes.initializeMemory(
                as: UInt8.self, repeating: UInt8(truncatingIfNeeded: number), count: message.size)
        }
        var batch = PacketBatch(pool: pool)
        builder.finish(into: &batch)
        let left = builder.runs.count
        #expect(left == 0)
        var all: [UInt8] = []
        let runs = (0..<batch.count).map { index in
            unsafe all.append(contentsOf: UnsafeRawBufferPointer(batch[index].contents))
            return Run(
                datagrams: batch[index].wirePackets, bytes: batch[index].count, size: batch[index].datagramSize,
                peer: batch[index].peer)
        }
        let expected = messages.enumerated().flatMap { number, message in
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: message.size)
        }
        #expect(all == expected)
        return runs
    }

    private func same(_ count: Int, _ size: Int) -> [Message] { Array(repeating: Message(size: size), count: count) }

    @Test func messagesOfOneSizeToOnePeerAreOneRun() {
        #expect(runs(same(45, 1452)) == [Run(datagrams: 45, bytes: 45 * 1452, size: 1452)])
    }

    @Test func aRunHasAtMost64Datagrams() {
        #expect(
            runs(same(130, 64)) == [
                Run(datagrams: 64, bytes: 4096, size: 64), Run(datagrams: 64, bytes: 4096, size: 64),
                Run(datagrams: 2, bytes: 128, size: 64),
            ])
    }

    @Test func aRunHasAtMost65507Bytes() {
        // 46 of 1424 are 65,504; one of 1425 in the place of the first is a byte more than three.
        #expect(runs(same(46, 1424)) == [Run(datagrams: 46, bytes: 65_504, size: 1424)])
        #expect(runs(same(47, 1424)).map(\.datagrams) == [46, 1])
        // 43 × 1523 + 18 is 65,507 exactly.
        #expect(runs(same(43, 1523) + same(1, 18)) == [Run(datagrams: 44, bytes: 65_507, size: 1523)])
        #expect(runs(same(43, 1523) + same(1, 19)).map(\.bytes) == [65_489, 19])
        #expect(runs(same(2, 65_507)).map(\.bytes) == [65_507, 65_507])
    }

    @Test func aShorterMessageEndsTheRunAndALongerOneBeginsOne() {
        let sizes = [100, 100, 80, 80, 100, 120]
        #expect(
            runs(sizes.map { Message(size: $0) }) == [
                Run(datagrams: 3, bytes: 280, size: 100), Run(datagrams: 1, bytes: 80, size: 80),
                Run(datagrams: 1, bytes: 100, size: 100), Run(datagrams: 1, bytes: 120, size: 120),
            ])
    }

    @Test func anotherPeerBeginsAnotherRun() {
        let messages = [Message(size: 64), Message(size: 64, peer: 1), Message(size: 64, peer: 1), Message(size: 64)]
        #expect(runs(messages).map(\.datagrams) == [1, 2, 1])
        #expect(runs(messages).map(\.peer.index) == [0, 1, 0])
    }

    /// One header is sent for all of them (P-4.19).
    @Test func aRunHasOneTrafficClass() {
        let messages = [0, 0, 2, 2, 0].map { Message(size: 64, trafficClass: $0) }
        #expect(runs(messages).map(\.datagrams) == [2, 2, 1])
    }

    @Test func aMessageOfItsOwnEndsTheRun() {
        let pool = BufferPool()
        var builder = RunBuilder(pool: pool)
        _ = unsafe builder.messages(1, for: Self.sealing, size: 64)
        var packet = Packet(pool.take(.small), count: 64)
        packet.peer = PeerID(0)
        packet.path = Self.here
        builder.append(packet)
        _ = unsafe builder.messages(1, for: Self.sealing, size: 64)
        let count = builder.runs.count
        #expect(count == 3)
    }

    /// The promise of `hasRoom` against what really happens, for the worst openings and sizes.
    @Test(arguments: [1, 2, 63, 64, 65, 511, 1000, 20_000]) func whatIsSaidToHaveRoomHasIt(count: Int) {
        for size in [48, 1023, 1024, 1452, 9000, 40_000, 65_507] where RunBuilder.runs(for: count, size: size) <= 512 {
            let pool = BufferPool()
            var builder = RunBuilder(pool: pool)
            // An open run that the first message, being shorter, ends.
            _ = unsafe builder.messages(1, for: Self.sealing, size: min(65_507, size + 1))
            guard builder.hasRoom(for: count, size: size) else { continue }
            var left = count
            while left > 0 {
                left -= unsafe builder.messages(left, for: Self.sealing, size: size).count
            }
            let made = builder.runs.count
            #expect(made <= 1 + RunBuilder.runs(for: count, size: size))
        }
    }
}
