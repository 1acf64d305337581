import Glibc
import Pipeline
import Wire

/// The receiving half of a port: recvmmsg into large buffers, each message one packet of the batch.
@safe struct Receiver: ~Copyable {
    /// The most messages in one recvmmsg: as many full runs as fill a batch. More than this brings nothing measurable,
    /// and each holds a large buffer.
    static let messages = PacketBatch.capacity / UDPLimits.runDatagrams
    /// The most errors that one call takes off a socket before it leaves the rest to the next turn of the loop.
    static let errorBound = 16

    private var vector = MessageVector(capacity: messages)
    /// A buffer for each message, taken from the pool when it is needed; a packet that needs all of it takes it along.
    private let buffers: UnsafeMutablePointer<Buffer?>
    /// How many datagrams a message may turn out to be: more than one only where the socket coalesces.
    private let datagramsPerMessage: Int

    init(coalescing: Bool) {
        datagramsPerMessage = coalescing ? UDPLimits.runDatagrams : 1
        unsafe buffers = .allocate(capacity: Self.messages)
        for index in 0..<Self.messages { unsafe (buffers + index).initialize(to: nil) }
    }

    deinit {
        unsafe buffers.deinitialize(count: Self.messages)
        unsafe buffers.deallocate()
    }

    /// Empties `socket` into `batch` as far as `room` goes, which counts datagrams, and takes what it uses off `room`.
    /// `overflows` is how many messages the socket has been known to have had no room for.
    mutating func receive(
        from socket: CInt, into batch: inout PacketBatch, room: inout Int, overflows: inout UInt32,
        counters: inout UDPCounters
    ) {
        var errors = 0
        while true {
            let wanted = min(Self.messages, room / datagramsPerMessage)
            guard wanted > 0 else { return }
            for index in 0..<wanted { prepare(index, batch.pool) }
            let count = vector.receive(from: socket, count: wanted)
            if count < 0 {
                let error = errno
                if error == EAGAIN || error == EWOULDBLOCK { return }
                // An error that the network has left on the socket: reading it has taken it off (S-33). A signal is
                // no error.
                if error != EINTR { counters.receiveErrors &+= 1 }
                errors += 1
                if errors == Self.errorBound { return }
                continue
            }
            for index in 0..<count {
                take(index, into: &batch, room: &room, overflows: &overflows, counters: &counters)
            }
            if count < wanted { return }
        }
    }

    private mutating func prepare(_ index: Int, _ pool: BufferPool) {
        let buffer = unsafe (buffers + index).pointee.take() ?? pool.take(.large)
        unsafe vector.prepareToReceive(index, at: buffer.start, count: Buffer.room(.large))
        unsafe (buffers + index).pointee = consume buffer
    }

    /// Makes message `index` a packet. One that is not wanted leaves its buffer where it is, for the next message.
    private mutating func take(
        _ index: Int, into batch: inout PacketBatch, room: inout Int, overflows: inout UInt32,
        counters: inout UDPCounters
    ) {
        let control = vector.receivedControl(index)
        if control.overflows != overflows, control.overflows != 0 {
            counters.drops.count(.receiveQueueFull, Int(control.overflows &- overflows))
            overflows = control.overflows
        }
        guard !vector.isTruncated(index), let remote = vector.sender(index) else {
            counters.drops.count(.truncated)
            return
        }
        let count = vector.receivedCount(index)
        let size = control.segmentSize < count ? control.segmentSize : 0
        let datagrams = size > 0 ? (count + size - 1) / size : 1
        guard datagrams <= room else {
            counters.drops.count(.runTooLong, datagrams)
            return
        }
        guard var packet = packet(index, count, batch.pool) else { return }
        packet.datagramSize = size
        packet.path = Path(remote: remote, local: control.local)
        packet.trafficClass = control.trafficClass
        counters.countIn(packet)
        batch.append(packet)
        room -= datagrams
    }
    /// What message `index` has received, as a packet: moved to a small buffer where it fits. A burst of single
    /// datagrams would hold a large buffer for each otherwise, hundreds of them, which then stay in the pool.
    private mutating func packet(_ index: Int, _ count: Int, _ pool: BufferPool) -> Packet? {
        guard let buffer = unsafe (buffers + index).pointee.take() else { return nil }
        guard count <= Buffer.room(.small) else { return Packet(buffer, count: count) }
        let packet = Packet(pool.take(.small), count: count)
        unsafe packet.bytes.copyMemory(from: buffer.start, byteCount: count)
        unsafe (buffers + index).pointee = consume buffer
        return packet
    }
}
