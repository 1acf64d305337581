import Glibc
import Linux
import Pipeline
import Support
import TUN
import Testing
import Wire

/// `count` packets of one TCP flow.
func stream(_ count: Int, of payload: Int = 1000, tcp: Bool = true) -> [[UInt8]] {
    (0..<count).map { index in
        var packet = PlainPacket()
        packet.isTCP = tcp
        packet.identification = UInt16(index)
        packet.sequence = UInt32(index * payload)
        packet.payload = (0..<payload).map { UInt8(truncatingIfNeeded: $0 &* 3 &+ index) }
        return packet.bytes
    }
}

/// A super-packet as the kernel hands it over.
private func superPacket(_ payload: Int, size: Int, tcp: Bool = true) -> ([UInt8], VirtioHeader) {
    var header = VirtioHeader()
    header.flags = 1
    header.segmentation = tcp ? 1 : 5
    header.segmentSize = UInt16(size)
    header.headerLength = 9999
    header.checksumStart = 20
    header.checksumOffset = tcp ? 16 : 6
    return (PacketOracle.owingChecksum(stream(1, of: payload, tcp: tcp)[0]), header)
}

@Suite struct TUNQueueReceiveTests {
    private func contents(_ batch: borrowing PacketBatch) -> [[UInt8]] {
        (0..<batch.count).map { unsafe Array(batch[$0].contents) }
    }

    @Test func packetsComeInOrderUntilNoneIsLeft() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        let packets = stream(5)
        for packet in packets { device.inject(packet) }
        #expect(queue.receive(into: &batch) == .drained)
        #expect(contents(batch) == packets)
        for index in 0..<batch.count {
            #expect(batch[index].offload == .none)
            #expect(batch[index].buffer.size == .small)
        }
    }

    @Test func aSuperPacketStaysWhole_P4_23() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        let (packet, header) = superPacket(65_000, size: 1380)
        device.inject(packet, header: header)
        #expect(queue.receive(into: &batch) == .drained)
        #expect(contents(batch) == [packet])
        #expect(batch[0].buffer.size == .large)
        #expect(batch[0].wirePackets == 48)
        let expected = Offload(
            segmentation: .tcp, needsChecksum: true, headerLength: 40, segmentSize: 1380, checksumStart: 20,
            checksumOffset: 16)
        #expect(batch[0].offload == expected)
        let counters = queue.report.counters.prefix(3)
        #expect(counters.map(\.name) == ["packets-read", "bytes-read", "frames-read"])
        #expect(counters.map(\.value) == [48, 65_040, 1])
    }

    @Test func theLongestPacketFits() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        let (packet, header) = superPacket(65_535 - 40, size: 1400)
        device.inject(packet, header: header)
        #expect(queue.receive(into: &batch) == .drained)
        #expect(contents(batch) == [packet])
    }

    @Test func theLimitAndTheBatchBoundReading() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        for packet in stream(PacketBatch.capacity + 10, of: 10) { device.inject(packet) }
        #expect(queue.receive(into: &batch, limit: 4) == .more)
        #expect(batch.count == 4)
        #expect(queue.receive(into: &batch) == .more)
        #expect(batch.room == 0)
        #expect(device.waitingCount == 10)
    }

    @Test func paddingBehindThePacketIsCutOff() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        let packet = stream(1)[0]
        device.inject(packet + [0, 0, 0])
        #expect(queue.receive(into: &batch) == .drained)
        #expect(contents(batch) == [packet])
    }

    @Test func noBufferIsLostOnTheWay() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        let pool = BufferPool()
        var batch = PacketBatch(pool: pool)
        var allocations: [Int] = []
        for _ in 0..<20 {
            let (packet, header) = superPacket(30_000, size: 1000)
            device.inject(packet, header: header)
            for packet in stream(3) { device.inject(packet) }
            device.inject(frame: [1, 2, 3])
            #expect(queue.receive(into: &batch) == .drained)
            batch.removeAll()
            allocations.append(pool.allocations)
        }
        // One large for the super-packet, one to read into, three small.
        #expect(allocations == [Int](repeating: 5, count: 20))
    }

    static let malformed: [(String, TUNDrop, @Sendable (inout [UInt8]) -> Void)] = [
        ("no frame", .truncated, { $0 = [] }),
        ("half a virtio header", .truncated, { $0 = Array($0[..<9]) }),
        ("no packet", .truncated, { $0 = Array($0[..<10]) }),
        ("half an IP header", .truncated, { $0 = Array($0[..<29]) }),
        ("IP version 5", .notIP, { $0[10] = 0x55 }),
        ("IPv4 header of 4 words", .notIP, { $0[10] = 0x44 }),
        ("more declared than there is", .lyingLength, { $0[12] += 1 }),
        ("a checksum in the IP header", .checksumRange, { $0[6] = 10 }),
        ("a checksum outside", .checksumRange, { $0[7] = 0xff }),
        ("UFO", .unknownOffload, { $0[1] = 3 }),
        ("segments of 0 bytes", .segmentSize, { ($0[4], $0[5]) = (0, 0) }),
        ("segments without a checksum", .checksumNotOwed, { $0[0] = 0 }),
        ("IPv6 segments of IPv4", .versionMismatch, { $0[1] = 4 }),
        ("a fragment", .fragment, { $0[10 + 6] = 0x20 }),
        ("segments of the other transport", .transportHeader, { $0[1] = 5 }),
        ("a TCP header of 4 words", .transportHeader, { $0[10 + 32] = 0x40 }),
    ]

    /// P-4.18, S-24, S-27.
    @Test(arguments: malformed.indices) func malformedFramesAreCountedByReason_S24_S27(index: Int) {
        let (what, reason, change) = Self.malformed[index]
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        let (packet, header) = superPacket(5000, size: 1000)
        var frame = frameBytes(header) + packet
        change(&frame)
        device.inject(frame: frame)
        device.inject(stream(1)[0])
        #expect(queue.receive(into: &batch) == .drained)
        #expect(contents(batch) == [stream(1)[0]], "\(what) was let through, or stopped the next packet")
        for other in TUNDrop.allCases {
            #expect(queue.dropped(other) == (other == reason ? 1 : 0), "\(what): \(other)")
        }
    }

    @Test func aLyingDatagramLengthIsCounted_S27() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        let (good, header) = superPacket(5000, size: 1000, tcp: false)
        var packet = good
        device.inject(packet, header: header)
        packet[25] &+= 1
        device.inject(packet, header: header)
        #expect(queue.receive(into: &batch) == .drained)
        #expect(batch.count == 1)
        #expect(queue.dropped(.datagramLength) == 1)
    }

    @Test func aDeviceThatIsGoneSaysSo() {
        let device = MemoryTUN()
        let queue = TUNQueue(device)
        var batch = PacketBatch(pool: BufferPool())
        device.inject(stream(1)[0])
        device.readError = EBADFD
        #expect(queue.receive(into: &batch) == .failed(Errno(EBADFD)))
        #expect(batch.count == 1)
    }
}

func frameBytes(_ header: VirtioHeader) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: VirtioHeader.length)
    unsafe bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { unsafe header.store(to: start) } }
    return bytes
}

@Test func everyReasonHasANameOfItsOwn() {
    #expect(Set(TUNDrop.allCases.map(\.name)).count == TUNDrop.allCases.count)
    #expect(TUNDrop.allCases.map(\.rawValue) == Array(TUNDrop.allCases.indices))
}
