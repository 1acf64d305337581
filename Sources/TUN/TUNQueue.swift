import Glibc
import Linux
import Pipeline
import Wire

/// A worker's end of a TUN device: frames to packets in batches, and back.
///
/// What it reads stays whole, super-packets included, with a checked `Offload`. What it writes it coalesces first. A
/// frame is read into a large buffer, for it may have 64 KiB; one that fits a small buffer moves there (some 30 ns
/// beside a system call of 1000), so that a stage that keeps packets keeps 2.5 KiB each and not 65, and the next read
/// finds memory that is still in the cache.
package final class TUNQueue {
    /// How reading ended.
    package enum Reception: Equatable {
        /// Nothing is left for now.
        case drained
        /// The limit was reached; there may be more.
        case more
        /// The device is out of order, as when its link was deleted: to be waited on no more.
        case failed(Errno)
    }

    package let device: any FrameDevice
    private var drops = DropCounters<TUNDrop>()
    private var counters = Counters()
    private var coalescer = Coalescer(capacity: PacketBatch.capacity)
    private let frame = FramePieces()

    private struct Counters {
        var packetsRead: UInt64 = 0
        var bytesRead: UInt64 = 0
        var framesRead: UInt64 = 0
        var packetsWritten: UInt64 = 0
        var bytesWritten: UInt64 = 0
        var framesWritten: UInt64 = 0
        /// Coalesced writes that the kernel refused and that went packet by packet instead.
        var fallbacks: UInt64 = 0
    }

    /// `coalescesTCP` and `coalescesUDP` say what may be joined on its way to the device.
    package init(_ device: any FrameDevice, coalescesTCP: Bool = true, coalescesUDP: Bool = true) {
        self.device = device
        coalescer.joinsTCP = coalescesTCP
        // Kernels that cannot hand over UDP super-packets do not take them either.
        coalescer.joinsUDP = coalescesUDP && device.offloads.contains(.uso)
    }

    /// Whether packets are joined now. A kind that the kernel refused stays off.
    package var coalesces: (tcp: Bool, udp: Bool) { (coalescer.joinsTCP, coalescer.joinsUDP) }

    package var report: StageReport {
        StageReport(
            counters: [
                .init("packets-read", counters.packetsRead), .init("bytes-read", counters.bytesRead),
                .init("frames-read", counters.framesRead), .init("packets-written", counters.packetsWritten),
                .init("bytes-written", counters.bytesWritten), .init("frames-written", counters.framesWritten),
                .init("coalescing-fallbacks", counters.fallbacks),
            ],
            drops: drops.report)
    }

    package func dropped(_ reason: TUNDrop) -> UInt64 { drops[reason] }
}

// Outbound: from the host.
extension TUNQueue {
    /// Appends packets to the batch until the device has none left, `limit` frames were read or the batch is full.
    package func receive(into batch: inout PacketBatch, limit: Int = PacketBatch.capacity) -> Reception {
        var spare = batch.pool.take(.large)
        var left = limit
        var reception = Reception.more
        reading: while left > 0, !batch.isFull {
            left -= 1
            // The virtio header ends up in the headroom, the packet at the buffer's start.
            let memory = unsafe UnsafeMutableRawBufferPointer(
                start: spare.start - VirtioHeader.length, count: VirtioHeader.length + Buffer.room(.large))
            switch unsafe device.read(into: memory) {
            case .wouldBlock:
                reception = .drained
                break reading
            case .failed(let number):
                reception = .failed(Errno(number, call: "read"))
                break reading
            case .frame(let count):
                counters.framesRead &+= 1
                guard let (length, offload) = unsafe inspect(memory, count) else { continue }
                var packet: Packet
                if length <= Buffer.room(.small) {
                    packet = Packet(batch.pool.take(.small), count: length)
                    unsafe packet.bytes.copyMemory(from: spare.start, byteCount: length)
                } else {
                    packet = Packet(spare, count: length)
                    spare = batch.pool.take(.large)
                }
                packet.offload = offload
                counters.packetsRead &+= UInt64(packet.wirePackets)
                counters.bytesRead &+= UInt64(length)
                batch.append(packet)
            }
        }
        batch.pool.recycle(spare)
        return reception
    }

    /// The packet's length and what it owes; nil for a malformed frame, which is counted.
    private func inspect(_ memory: UnsafeMutableRawBufferPointer, _ count: Int) -> (Int, Offload)? {
        guard count >= VirtioHeader.length, let start = memory.baseAddress else {
            drops.count(.truncated)
            return nil
        }
        let packet = unsafe UnsafeRawBufferPointer(memory)[VirtioHeader.length..<count]
        let length: Int
        switch unsafe InnerPacket.length(of: UnsafeRawBufferPointer(rebasing: packet)) {
        case .success(let declared): length = declared
        case .failure(let fault):
            drops.count(TUNDrop(fault))
            return nil
        }
        let header = unsafe VirtioHeader(at: start)
        switch unsafe Offload.parse(header, of: UnsafeRawBufferPointer(rebasing: packet.prefix(length))) {
        case .success(let offload): return (length, offload)
        case .failure(let fault):
            drops.count(TUNDrop(fault))
            return nil
        }
    }
}

// Inbound: to the host.
extension TUNQueue {
    /// Writes the batch's packets, joined where they may be, and leaves the batch empty.
    package func send(_ batch: inout PacketBatch) {
        for index in 0..<batch.count {
            unsafe coalescer.add(
                batch[index].bytes, count: batch[index].count, alone: batch[index].offload != .none)
        }
        for index in 0..<coalescer.runCount { write(index, batch) }
        coalescer.removeAll()
        batch.removeAll()
    }

    private func write(_ index: Int, _ batch: borrowing PacketBatch) {
        let run = coalescer[index]
        guard run.count > 1 else {
            _ = writeAlone(run.first, batch)
            return
        }
        frame.begin(coalescer.join(index))
        unsafe frame.append(batch[run.first].bytes, batch[run.first].count)
        var next = coalescer.packet(after: run.first)
        while let number = next {
            let packet = unsafe batch[number].bytes + run.headerLength
            unsafe frame.append(packet, batch[number].count - run.headerLength)
            next = coalescer.packet(after: number)
        }
        let transfer = unsafe device.write(frame.pieces)
        if transfer == .failed(EINVAL) {
            coalescer.separate(index)
            writeOneByOne(run, batch)
        } else {
            count(transfer, packets: run.count, bytes: run.totalLength)
        }
    }

    /// For a joined packet that the kernel does not take. Where it takes the single ones, joining was at fault, as in
    /// some kernels it is, and isn't tried again.
    private func writeOneByOne(_ run: CoalescedRun, _ batch: borrowing PacketBatch) {
        counters.fallbacks &+= 1
        var isTaken = false
        var next: Int? = run.first
        while let number = next {
            if case .frame = writeAlone(number, batch) { isTaken = true }
            next = coalescer.packet(after: number)
        }
        guard isTaken else { return }
        if run.segmentation == .tcp { coalescer.joinsTCP = false } else { coalescer.joinsUDP = false }
    }

    private func writeAlone(_ number: Int, _ batch: borrowing PacketBatch) -> FrameTransfer {
        let offload = batch[number].offload
        var header = VirtioHeader()
        if offload != .none, let ip = unsafe IPPacket(batch[number].contents) {
            header = VirtioHeader(offload, version: ip.version)
        }
        frame.begin(header)
        unsafe frame.append(batch[number].bytes, batch[number].count)
        let transfer = unsafe device.write(frame.pieces)
        count(transfer, packets: batch[number].wirePackets, bytes: batch[number].count)
        return transfer
    }

    private func count(_ transfer: FrameTransfer, packets: Int, bytes: Int) {
        guard case .frame = transfer else {
            drops.count(TUNDrop(writing: transfer), packets)
            return
        }
        counters.framesWritten &+= 1
        counters.packetsWritten &+= UInt64(packets)
        counters.bytesWritten &+= UInt64(bytes)
    }
}
