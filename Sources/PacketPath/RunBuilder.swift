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

    /// Room for messages of `size` bytes each, at most `Limits.bytesPerRun`, back to back behind what is there: for as many
    /// of the `wanted` as the run takes, at least one. There is room enough around them for sealing in place: what is
    /// overwritten behind one is still free, if they are sealed in order.
    ///
    /// A peer is at one `path` for as long as runs are built: it is looked at where a run begins.
    mutating func messages(
        _ wanted: Int, for sealing: borrowing SealingRun, size: Int
    ) -> (start: UnsafeMutableRawPointer, count: Int) {
        if var run = open, run.takes(sealing.peer, size, sealing.trafficClass) {
            let last = runs.count - 1
            let offset = run.bytes
            let count = run.add(wanted, size)
            runs[last].count = run.bytes
            open = size < run.size ? nil : run
            return unsafe (runs[last].bytes + offset, count)
        }
        var run = OpenRun(peer: sealing.peer, size: size, trafficClass: sealing.trafficClass)
        let count = run.add(wanted, size)
        var packet = Packet(runs.pool.take(.large), count: run.bytes)
        packet.peer = sealing.peer
        packet.path = sealing.path
        packet.datagramSize = size
        packet.trafficClass = sealing.trafficClass
        let start = unsafe packet.bytes
        runs.append(packet)
        open = run
        return unsafe (start, count)
    }

    /// What comes next begins a run.
    mutating func endRun() { open = nil }

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
    /// Of each message but the last, which may be shorter.
    let size: Int
    let trafficClass: UInt8
    private(set) var bytes = 0
    private var datagrams = 0

    init(peer: PeerID, size: Int, trafficClass: UInt8) {
        (self.peer, self.size, self.trafficClass) = (peer, size, trafficClass)
    }

    /// Whether one of `size` bytes fits behind what is there.
    func takes(_ peer: PeerID, _ size: Int, _ trafficClass: UInt8) -> Bool {
        peer == self.peer && size <= self.size && trafficClass == self.trafficClass
            && datagrams < Limits.datagramsPerRun && bytes + size <= Limits.bytesPerRun
    }

    /// Adds one that fits, and of `wanted` ones as many as fit with it; says how many. A shorter one is the last.
    mutating func add(_ wanted: Int, _ size: Int) -> Int {
        var count = 1
        if wanted > 1, size == self.size {
            count = min(wanted, Limits.datagramsPerRun - datagrams, (Limits.bytesPerRun - bytes) / size)
        }
        datagrams += count
        bytes += count * size
        return count
    }
}
