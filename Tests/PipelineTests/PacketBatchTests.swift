import Support
import Testing
import Wire

@testable import Pipeline

@Suite struct PacketBatchTests {
    private func batch(_ counts: Range<Int>, _ pool: BufferPool = BufferPool()) -> PacketBatch {
        var batch = PacketBatch(pool: pool)
        for count in counts { batch.append(Packet(pool.take(.small), count: count)) }
        return batch
    }

    private func counts(_ batch: borrowing PacketBatch) -> [Int] { (0..<batch.count).map { batch[$0].count } }

    @Test func filteringKeepsTheOrderAndGivesDroppedBuffersBack() {
        let pool = BufferPool()
        var batch = batch(0..<100, pool)
        var drops = DropCounters<Reason>()
        batch.filter { $0.count % 3 == 0 ? .pass : .drop(drops.count($0, .early)) }
        #expect(drops[.early] == 66)
        #expect(counts(batch) == stride(from: 0, to: 100, by: 3).map { $0 })
        for count in 0..<66 { batch.append(Packet(pool.take(.small), count: count)) }
        #expect(pool.allocations == 100)
    }

    @Test func takenPacketsLeaveInOrderAndTheOthersStayInOrder() {
        var batch = batch(0..<100)
        var drops = DropCounters<Reason>()
        var taken: [Int] = []
        batch.sort { packet in
            packet.count % 5 == 0 ? .drop(drops.count(packet, .late)) : packet.count % 2 == 0 ? .take : .pass
        } taken: {
            taken.append($0.count)
        }
        #expect(taken == (0..<100).filter { $0 % 2 == 0 && $0 % 5 != 0 })
        #expect(drops[.late] == 20)
        #expect(counts(batch) == (0..<100).filter { $0 % 2 == 1 && $0 % 5 != 0 })
    }

    /// Every mix of verdicts against a list.
    @Test func sortingDoesAsAListDoes() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let size = Int.random(in: 0...40, using: &random)
            let verdicts = (0..<size).map { _ in Int.random(in: 0..<3, using: &random) }
            var batch = batch(0..<size)
            var drops = DropCounters<Reason>()
            var taken: [Int] = []
            batch.sort {
                switch verdicts[$0.count] {
                case 0: .pass
                case 1: .drop(drops.count($0, .early))
                default: .take
                }
            } taken: {
                taken.append($0.count)
            }
            #expect(counts(batch) == (0..<size).filter { verdicts[$0] == 0 })
            #expect(taken == (0..<size).filter { verdicts[$0] == 2 })
            #expect(drops[.early] == UInt64(verdicts.count { $0 == 1 }))
        }
    }

    @Test func drainingEmptiesItEvenForWhoAppendsMeanwhile() {
        var batch = batch(0..<PacketBatch.capacity)
        let (isFull, room) = (batch.isFull, batch.room)
        #expect(isFull && room == 0)
        var seen: [Int] = []
        batch.drain { seen.append($0.count) }
        #expect(seen == Array(0..<PacketBatch.capacity))
        #expect(counts(batch).isEmpty)
    }

    @Test func exchangingTradesPacketsAndNothingElse() {
        var first = batch(0..<3)
        var second = batch(10..<15)
        first.interface = InterfaceID(1)
        first.now = Instant(nanoseconds: 9)
        first.notices = [.sourceGone(PeerID(4))]
        first.exchangePackets(with: &second)
        #expect(counts(first) == Array(10..<15) && counts(second) == Array(0..<3))
        let (one, two) = ((first.interface, first.notices.count), (second.interface, second.notices.count))
        #expect(one == (InterfaceID(1), 1) && two == (InterfaceID(0), 0))
    }

    @Test func emptyingItGivesEveryBufferBack() {
        let pool = BufferPool()
        var batch = batch(0..<50, pool)
        batch.removeAll()
        for count in 0..<50 { batch.append(Packet(pool.take(.small), count: count)) }
        #expect(pool.allocations == 50)
    }

    // MARK: Packets

    private func packet(_ count: Int, header: UInt16 = 0, segment: UInt16 = 0, datagram: Int = 0) -> Packet {
        var packet = Packet(Buffer(.large), count: count)
        packet.offload.headerLength = header
        packet.offload.segmentSize = segment
        packet.datagramSize = datagram
        return packet
    }

    /// Count, header, segment and datagram size; how many on the wire, and how long the longest.
    static let sizes: [(Int, UInt16, UInt16, Int, packets: Int, largest: Int)] = [
        (0, 0, 0, 0, 1, 0), (84, 0, 0, 0, 1, 84), (65_535, 0, 0, 0, 1, 65_535),
        (1040, 40, 100, 0, 10, 140), (1041, 40, 100, 0, 11, 140), (1039, 40, 100, 0, 10, 140),
        (141, 40, 100, 0, 2, 140),
        (65_535, 40, 1, 0, 65_495, 41), (65_535, 40, 1400, 0, 47, 1440),
        (1000, 0, 0, 100, 10, 1000), (1001, 0, 0, 100, 11, 1001), (100, 0, 0, 100, 1, 100), (99, 0, 0, 100, 1, 99),
        (0, 0, 0, 100, 1, 0),
    ]

    @Test(arguments: sizes.indices) func aPacketTellsHowManyItIsOnTheWire(index: Int) {
        let given = Self.sizes[index]
        let packet = packet(given.0, header: given.1, segment: given.2, datagram: given.3)
        let (packets, largest) = (packet.wirePackets, packet.largestSegment)
        #expect(packets == given.packets && largest == given.largest)
        var batch = PacketBatch(pool: BufferPool())
        batch.append(packet)
        batch.append(self.packet(1))
        let sum = batch.wirePackets
        #expect(sum == given.packets + 1)
    }

    @Test func buffersAreAsLargeAsTheyMustBe() {
        #expect(Buffer.room(.small) == 1904 && Buffer.room(.large) == 65_904)
        #expect(Buffer.size(for: 1904) == .small && Buffer.size(for: 1905) == .large)
        // A virtio header may stand in front, and 512 bytes of vector code's slack behind.
        #expect(Buffer.headroom >= 64 + 10 && Buffer.tailroom >= 512 + 16)
        #expect(Buffer.room(.large) >= 65_535)
    }
}

private enum Reason: Int, DropReason {
    case early, late
    var name: String { self == .early ? "too-early" : "too-late" }
}

@Suite struct CounterTests {
    @Test func aDropCountsAsWhatItIsOnTheWire() {
        var drops = DropCounters<Reason>()
        var packet = Packet(Buffer(.large), count: 1041)
        packet.offload.headerLength = 40
        packet.offload.segmentSize = 100
        _ = drops.count(packet, .late)
        drops.count(.early)
        drops.count(.early, 4)
        #expect(drops[.early] == 5 && drops[.late] == 11)
        #expect(drops.report == [.init("too-early", 5), .init("too-late", 11)])
    }

    @Test func reportsOfSeveralWorkersAddUpByName() {
        var report = StageReport(counters: [.init("a", 1), .init("b", 2)], drops: [.init("x", 3)])
        report.add(StageReport(counters: [.init("b", 10), .init("c", 20)], drops: [.init("a", 30)]))
        #expect(report.counters == [.init("a", 1), .init("b", 12), .init("c", 20)])
        #expect(report.drops == [.init("x", 3), .init("a", 30)])
        report.add(StageReport())
        #expect(report.counters.count == 3)
    }
}
