import Linux
import Pipeline
import Wire

/// Frames to packets: the half of a `TUNQueue` that reads.
struct TUNReader {
    private(set) var drops = DropCounters<TUNDrop>()
    private(set) var packets: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var frames: UInt64 = 0

    /// Appends packets to the batch until the device has none left, `limit` frames were read or the batch is full.
    mutating func receive(
        from device: any FrameDevice, into batch: inout PacketBatch, limit: Int
    ) -> TUNQueue.Reception {
        var spare = batch.pool.take(.large)
        var left = limit
        var reception = TUNQueue.Reception.more
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
                frames &+= 1
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
                packets &+= UInt64(packet.wirePackets)
                bytes &+= UInt64(length)
                batch.append(packet)
            }
        }
        batch.pool.recycle(spare)
        return reception
    }

    /// The packet's length and what it owes; nil for a malformed frame, which is counted.
    private mutating func inspect(_ memory: UnsafeMutableRawBufferPointer, _ count: Int) -> (Int, Offload)? {
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
