import Glibc
import Pipeline
import Wire

/// Packets to frames, joined where they may be: the half of a `TUNQueue` that writes.
struct TUNWriter: ~Copyable {
    private(set) var drops = DropCounters<TUNDrop>()
    private(set) var packets: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var frames: UInt64 = 0
    /// Coalesced writes that the kernel refused and that went packet by packet instead.
    private(set) var fallbacks: UInt64 = 0
    var coalescer = Coalescer(capacity: PacketBatch.capacity)
    private var frame = FramePieces()

    /// Writes the batch's packets, joined where they may be, and leaves the batch empty.
    mutating func send(_ batch: inout PacketBatch, to device: any FrameDevice) {
        for index in 0..<batch.count {
            unsafe coalescer.add(
                batch[index].bytes, count: batch[index].count, alone: batch[index].offload.needsChecksum)
        }
        for index in 0..<coalescer.runCount { write(index, batch, to: device) }
        coalescer.removeAll()
        batch.removeAll()
    }

    private mutating func write(_ index: Int, _ batch: borrowing PacketBatch, to device: any FrameDevice) {
        let run = coalescer[index]
        guard run.count > 1 else {
            _ = writeAlone(run.first, batch, to: device)
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
            writeOneByOne(run, batch, to: device)
        } else {
            count(transfer, packets: run.count, bytes: run.totalLength)
        }
    }

    /// For a joined packet that the kernel does not take. Where it takes the single ones, joining was at fault, as in
    /// some kernels it is, and isn't tried again.
    private mutating func writeOneByOne(_ run: CoalescedRun, _ batch: borrowing PacketBatch, to device: any FrameDevice)
    {
        fallbacks &+= 1
        var isTaken = false
        var next: Int? = run.first
        while let number = next {
            if case .frame = writeAlone(number, batch, to: device) { isTaken = true }
            next = coalescer.packet(after: number)
        }
        guard isTaken else { return }
        if run.segmentation == .tcp { coalescer.joinsTCP = false } else { coalescer.joinsUDP = false }
    }

    private mutating func writeAlone(_ number: Int, _ batch: borrowing PacketBatch, to device: any FrameDevice)
        -> FrameTransfer
    {
        let offload = batch[number].offload
        var header = VirtioHeader()
        if offload.needsChecksum, let ip = unsafe IPPacket(batch[number].contents) {
            header = VirtioHeader(offload, version: ip.version)
        }
        frame.begin(header)
        unsafe frame.append(batch[number].bytes, batch[number].count)
        let transfer = unsafe device.write(frame.pieces)
        count(transfer, packets: batch[number].wirePackets, bytes: batch[number].count)
        return transfer
    }

    private mutating func count(_ transfer: FrameTransfer, packets: Int, bytes: Int) {
        guard case .frame = transfer else {
            drops.count(TUNDrop(writing: transfer), packets)
            return
        }
        self.frames &+= 1
        self.packets &+= UInt64(packets)
        self.bytes &+= UInt64(bytes)
    }
}
