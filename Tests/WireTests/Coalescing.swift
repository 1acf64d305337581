import Testing
import Wire

/// Runs packets through a `Coalescer` and gives the frames that would be written: virtio header and packet.
func coalesce(_ packets: [[UInt8]], tcp: Bool = true, udp: Bool = true, alone: Set<Int> = []) -> [[UInt8]] {
    var coalescer = Coalescer(capacity: packets.count)
    coalescer.joinsTCP = tcp
    coalescer.joinsUDP = udp
    let memory = unsafe packets.map { packet in
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: packet.count, alignment: 1)
        unsafe bytes.copyBytes(from: packet)
        return unsafe bytes
    }
    defer { unsafe memory.forEach { unsafe $0.deallocate() } }
    for index in packets.indices {
        guard let start = unsafe memory[index].baseAddress else { continue }
        unsafe coalescer.add(start, count: packets[index].count, alone: alone.contains(index))
    }
    var frames: [[UInt8]] = []
    for index in 0..<coalescer.runCount {
        let run = coalescer[index]
        let header = coalescer.join(index)
        var frame = [UInt8](repeating: 0, count: VirtioHeader.length)
        unsafe frame.withUnsafeMutableBytes { if let start = $0.baseAddress { unsafe header.store(to: start) } }
        unsafe frame += Array(memory[run.first])
        var next = coalescer.packet(after: run.first)
        while let number = next {
            unsafe frame += Array(memory[number])[run.headerLength...]
            next = coalescer.packet(after: number)
        }
        frames.append(frame)
        // What was rewritten comes back.
        coalescer.separate(index)
        #expect(unsafe Array(memory[run.first]) == packets[run.first])
    }
    return frames
}
