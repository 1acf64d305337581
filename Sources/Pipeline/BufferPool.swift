/// A worker's spare buffers, so that the packet path allocates nothing once it is warm.
///
/// A worker's thread warms its pool before the first packet: then it has what the largest turn can take, in memory that
/// is there and not only promised, and a router's size does not creep up with each burst that is longer than any before.
///
/// The pool is a cache, not an owner: a buffer taken from one worker's pool may be given back to another's, and what
/// exceeds the bound is freed. Where packets change hands, as many spare buffers go back (`Handoff`), so that one
/// worker's pool does not fill up with what another one has to allocate.
public final class BufferPool {
    /// The most spare buffers kept of each size, and what a warm pool has: 1.6 MiB of small ones, 8.1 MiB of large ones.
    ///
    /// Small: a batch of opened packets and those of one read from TUN, each of which may be staged. Large: what one
    /// turn reads (`TUNStage.largeFramesPerTurn`) and seals, one run at least for each peer, and a receiver's.
    public static let smallBound = 640
    public static let largeBound = 128

    // Nothing here calls out, so no access can overlap another; the check would cost more than the push.
    @exclusivity(unchecked) private var small: SpareBuffers
    @exclusivity(unchecked) private var large: SpareBuffers
    /// How many buffers this pool has had to allocate; it stops growing when the path is warm.
    public private(set) var allocations = 0

    /// With bounds of 0 it keeps nothing.
    public init(smallBound: Int = smallBound, largeBound: Int = largeBound) {
        unsafe small = SpareBuffers(bound: smallBound)
        unsafe large = SpareBuffers(bound: largeBound)
    }

    /// Fills the pool up to its bounds. To be called on the worker's thread, so that the memory is near it.
    public func warm() {
        var (small, large) = unsafe (self.small.room, self.large.room)
        while small > 0 { recycle(Buffer(.small).touched()); small -= 1 }
        while large > 0 { recycle(Buffer(.large).touched()); large -= 1 }
    }

    public func take(_ size: Buffer.Size) -> Buffer {
        let spare = unsafe size == .small ? small.pop() : large.pop()
        if let spare { return spare }
        allocations += 1
        return Buffer(size)
    }

    public func recycle(_ buffer: consuming Buffer) {
        switch buffer.size {
        case .small: unsafe small.push(buffer)
        case .large: unsafe large.push(buffer)
        }
    }

    /// Moves up to `count` spare buffers to another pool; none is made for it.
    public func give(_ count: Int, _ size: Buffer.Size, to other: BufferPool) {
        for _ in 0..<count {
            guard let buffer = unsafe size == .small ? small.pop() : large.pop() else { return }
            other.recycle(buffer)
        }
    }

    /// How many spare buffers there are of a size.
    public func spares(_ size: Buffer.Size) -> Int { unsafe size == .small ? small.count : large.count }

    /// Ends a packet; its buffer is spare.
    public func recycle(_ packet: consuming Packet) { recycle(packet.buffer) }
}

/// A bounded stack: the buffer given back last, and so the likeliest to be in the cache, is the next one taken.
@safe private struct SpareBuffers: ~Copyable {
    private let storage: UnsafeMutablePointer<Buffer>
    private let bound: Int
    private(set) var count = 0

    init(bound: Int) {
        self.bound = bound
        unsafe storage = .allocate(capacity: bound)
    }

    deinit {
        unsafe storage.deinitialize(count: count)
        unsafe storage.deallocate()
    }

    /// How many more would be kept.
    var room: Int { bound - count }

    mutating func pop() -> Buffer? {
        guard count > 0 else { return nil }
        count -= 1
        return unsafe (storage + count).move()
    }

    mutating func push(_ buffer: consuming Buffer) {
        guard count < bound else { return }
        unsafe (storage + count).initialize(to: buffer)
        count += 1
    }
}
