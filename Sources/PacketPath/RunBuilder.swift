import Pipeline
import Wire
import WireGuard

/// Lays sealed messages out for the wire: consecutive ones to one peer that have one size stand back to back in one
/// buffer, and leave in one send.
///
/// The last packet of `runs` is the one that grows. A run ends with a message that is shorter than the first (the
/// kernel cuts a run into equal parts and a rest), and at the kernel's bounds.
struct RunBuilder: ~Copyable {
    var runs: PacketBatch
    /// Of the run that grows, the last of `runs`; nil when the next message begins one.
    private var open: OpenRun?

    init(pool: BufferPool) { runs = PacketBatch(pool: pool) }

    /// The most runs that `count` messages of at most `size` bytes can take.
    static func runs(for count: Int, size: Int) -> Int {
        let each = max(1, min(Limits.datagramsPerRun, Limits.bytesPerRun / max(size, 1)))
        // The first of them may end a run, the last, shorter one never needs one of its own.
        return (count + each - 1) / each + 1
    }

    /// Whether an empty builder would have room for `count` messages of at most `size` bytes.
    static func canHold(_ count: Int, size: Int) -> Bool {
        // No division for a packet that is one message, as most are that are no super-packets.
        size <= Limits.bytesPerRun && (count == 1 || runs(for: count, size: size) <= PacketBatch.capacity)
    }

    /// Whether `count` messages of at most `size` bytes are sure to find room.
    func hasRoom(for count: Int, size: Int) -> Bool {
        count == 1 ? !runs.isFull : Self.runs(for: count, size: size) <= runs.room
    }

    /// Room for one message of `size` bytes, at most `Limits.bytesPerRun`, behind what is there. There is room enough
    /// around it for sealing in place: what is overwritten behind it is still free.
    ///
    /// A peer is at one `path` for as long as runs are built: it is looked at where a run begins.
    mutating func message(
        to peer: PeerID, _ path: Path, size: Int, trafficClass: UInt8
    ) -> UnsafeMutableRawPointer {
        if var run = open, run.takes(peer, size, trafficClass) {
            let last = runs.count - 1
            let offset = runs[last].count
            runs[last].count = offset + size
            run.bytes = offset + size
            run.datagrams += 1
            open = size < run.size ? nil : run
            return unsafe runs[last].bytes + offset
        }
        var packet = Packet(runs.pool.take(.large), count: size)
        packet.peer = peer
        packet.path = path
        packet.datagramSize = size
        packet.trafficClass = trafficClass
        let start = unsafe packet.bytes
        runs.append(packet)
        open = OpenRun(peer: peer, size: size, trafficClass: trafficClass, bytes: size)
        return unsafe start
    }

    /// A message of its own, as it is.
    mutating func append(_ packet: consuming Packet) {
        open = nil
        runs.append(packet)
    }

    /// Puts the runs in the place of what `batch` holds, which is nothing any more.
    mutating func finish(into batch: inout PacketBatch) {
        open = nil
        batch.exchangePackets(with: &runs)
        runs.removeAll()
    }
}

/// What a message has to be like to continue a run.
private struct OpenRun {
    let peer: PeerID
    let size: Int
    let trafficClass: UInt8
    var bytes: Int
    var datagrams = 1

    func takes(_ peer: PeerID, _ size: Int, _ trafficClass: UInt8) -> Bool {
        peer == self.peer && size <= self.size && trafficClass == self.trafficClass
            && datagrams < Limits.datagramsPerRun && bytes + size <= Limits.bytesPerRun
    }
}
