import Glibc
import Pipeline
import Support
import TUN
import Testing
import Wire

@Suite struct TUNQueueSendTests {
    private let device = MemoryTUN()

    /// Sends the packets as one batch.
    private func send(_ packets: [[UInt8]], through queue: TUNQueue, offload: Offload = .none) {
        var batch = PacketBatch(pool: BufferPool())
        for bytes in packets {
            var packet = Packet(Buffer(Buffer.size(for: bytes.count)), count: bytes.count)
            unsafe packet.contents.copyBytes(from: bytes)
            packet.offload = offload
            batch.append(packet)
        }
        queue.send(&batch)
        #expect(batch.count == 0)
    }

    private func split(_ frames: [[UInt8]]) -> [[UInt8]] { frames.flatMap { PacketOracle.split(frame: $0) ?? [] } }

    private func counts(_ queue: TUNQueue) -> [String: UInt64] {
        Dictionary(uniqueKeysWithValues: (queue.report.counters + queue.report.drops).map { ($0.name, $0.value) })
            .filter { $0.value > 0 }
    }

    @Test func aRunIsOneWrite() {
        let queue = TUNQueue(device)
        let packets = stream(40)
        send(packets, through: queue)
        #expect(device.writes == 1)
        #expect(split(device.written) == packets)
        #expect(counts(queue) == ["packets-written": 40, "bytes-written": 40_040, "frames-written": 1])
    }

    @Test func theBuffersGoBackToThePool() {
        let queue = TUNQueue(device)
        let pool = BufferPool()
        for _ in 0..<3 {
            var batch = PacketBatch(pool: pool)
            for bytes in stream(10) {
                let packet = Packet(pool.take(.small), count: bytes.count)
                unsafe packet.contents.copyBytes(from: bytes)
                batch.append(packet)
            }
            queue.send(&batch)
        }
        #expect(pool.allocations == 10)
    }

    @Test func whatIsSwitchedOffIsNotJoined_X5_X9() {
        let tcp = stream(3)
        let udp = stream(3, tcp: false)
        send(tcp + udp, through: TUNQueue(device, coalescesTCP: false))
        #expect(device.takeWritten().count == 4)
        send(tcp + udp, through: TUNQueue(device, coalescesUDP: false))
        #expect(device.takeWritten().count == 4)
        send(tcp + udp, through: TUNQueue(device, coalescesTCP: false, coalescesUDP: false))
        #expect(device.takeWritten().count == 6)
    }

    /// each kind can be switched off by itself, for hosts that cannot take it.
    @Test func uDPIsNotJoinedForAKernelWithoutUSO() {
        let old = MemoryTUN(offloads: .tcp)
        send(stream(3) + stream(3, tcp: false), through: TUNQueue(old))
        #expect(old.written.count == 4)
    }

    ///
    @Test(arguments: [true, false]) func aRefusedRunGoesPacketByPacketAndTheKindIsOffFromThenOn_X2(tcp: Bool) {
        let queue = TUNQueue(device)
        device.refuse = { $0[1] != 0 ? EINVAL : nil }
        let packets = stream(5, tcp: tcp)
        send(packets, through: queue)
        #expect(split(device.takeWritten()) == packets)
        #expect(queue.coalesces == (tcp: !tcp, udp: tcp))
        #expect(counts(queue)["coalescing-fallbacks"] == 1)
        #expect(counts(queue)["packets-written"] == 5)

        device.refuse = nil
        send(packets + stream(2, tcp: !tcp), through: queue)
        #expect(device.written.count == 6, "only the other kind is joined")
    }

    @Test func aRunWhosePacketsAreRefusedTooSaysNothingAboutJoining() {
        let queue = TUNQueue(device)
        device.refuse = { _ in EINVAL }
        send(stream(5), through: queue)
        #expect(queue.coalesces.tcp)
        #expect(queue.dropped(.refused) == 5)
    }

    @Test(arguments: [
        (EAGAIN, TUNDrop.queueFull), (ENOBUFS, .queueFull), (ENOMEM, .queueFull), (EIO, .linkDown),
        (EBADFD, .linkGone), (E2BIG, .refused), (EPERM, .failed),
    ])
    func writeErrorsAreCountedByReasonAndNeverRetried(error: CInt, reason: TUNDrop) {
        let queue = TUNQueue(device)
        device.refuse = { _ in error }
        send(stream(5) + stream(1, tcp: false), through: queue)
        #expect(device.writes == 2)
        #expect(counts(queue) == [reason.name: 6])
        device.refuse = nil
        send(stream(5), through: queue)
        #expect(device.written.count == 1)
    }

    @Test func aPacketThatOwesSomethingTakesItsOffloadAlong() {
        let queue = TUNQueue(device)
        let whole = stream(1, of: 5000)[0]
        let offload = Offload(
            segmentation: .tcp, needsChecksum: true, headerLength: 40, segmentSize: 1000, checksumStart: 20,
            checksumOffset: 16)
        send([PacketOracle.owingChecksum(whole)], through: queue, offload: offload)
        #expect(split(device.written) == PacketOracle.cut(whole, header: 40, size: 1000))
        #expect(counts(queue)["packets-written"] == 5)
    }

    @Test func anEmptyBatchWritesNothing() {
        send([], through: TUNQueue(device))
        #expect(device.writes == 0)
    }
}
