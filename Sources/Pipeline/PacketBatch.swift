import Wire

/// What a stage decides about one packet of a batch (`PacketBatch.filter`).
public enum Verdict {
    /// On to the next stage.
    case pass
    /// Gone, and counted: `.drop(drops.count(packet, .tooLarge))`.
    case drop(CountedDrop)
}

/// The same where the stage may keep packets (`PacketBatch.sort`).
public enum Sorting {
    case pass
    case drop(CountedDrop)
    /// Out of the batch and into the stage's keeping.
    case take
}

/// The packets of one interface that move through the stages together, in order.
///
/// A batch has a fixed capacity and allocates nothing. Its packets own their buffers; one that leaves by `drop` gives
/// its buffer back to the worker's pool.
@safe public struct PacketBatch: ~Copyable {
    /// The most packets in a batch: eight full receive runs of 64 datagrams, opened.
    public static let capacity = 512

    public let pool: BufferPool
    /// The interface whose packets these are.
    public var interface = InterfaceID(0)
    /// The moment all of them are taken to happen at: one reading of the clock a turn of the worker.
    public var now = Instant(nanoseconds: 0)
    @usableFromInline var filled = 0
    @inlinable public var count: Int { filled }
    /// What the ends have to tell the stages, a few at most and mostly none.
    public var notices: [Notice] = []

    @usableFromInline var storage: UnsafeMutablePointer<Packet>

    public init(pool: BufferPool) {
        self.pool = pool
        unsafe storage = .allocate(capacity: Self.capacity)
    }

    deinit {
        unsafe storage.deinitialize(count: count)
        unsafe storage.deallocate()
    }

    public var isEmpty: Bool { count == 0 }
    public var isFull: Bool { count == Self.capacity }
    /// How many more packets fit.
    public var room: Int { Self.capacity - count }

    /// How many packets these are on the wire.
    public var wirePackets: Int {
        var sum = 0
        for index in 0..<count { sum += unsafe storage[index].wirePackets }
        return sum
    }

    // Addressors: `_read` and `_modify` would allocate a frame for their coroutine at each access from another module.
    @inlinable public subscript(index: Int) -> Packet {
        unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(storage + index)
        }
        unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe storage + index
        }
    }

    /// Appends a packet; the caller has seen to it that there is `room`.
    public mutating func append(_ packet: consuming Packet) {
        precondition(count < Self.capacity)
        unsafe (storage + count).initialize(to: packet)
        filled += 1
    }

    // Inlinable, so that what a stage does for each packet needs no call through a closure (etc/decisions/inlining.md).

    /// Asks about each packet in order and keeps those that pass.
    @inlinable public mutating func filter(_ decide: (inout Packet) -> Verdict) {
        var kept = 0
        for index in 0..<count {
            switch unsafe decide(&storage[index]) {
            case .pass: keep(index, asNumber: &kept)
            case .drop: recycle(unsafe (storage + index).move())
            }
        }
        filled = kept
    }

    /// Asks about each packet in order, keeps those that pass and moves those to `taken` that the stage takes.
    @inlinable public mutating func sort(
        _ decide: (inout Packet) -> Sorting, taken: (consuming Packet) -> Void
    ) {
        var (kept, next) = (0, 0)
        sort(upTo: count, &next, kept: &kept, decide, taken: taken)
        filled = kept
    }

    /// Closes the gap in front of a packet.
    @inlinable func keep(_ index: Int, asNumber kept: inout Int) {
        if kept != index { unsafe (storage + kept).moveInitialize(from: storage + index, count: 1) }
        kept += 1
    }

    /// Moves every packet out, in order, and leaves the batch empty.
    public mutating func drain(_ body: (consuming Packet) -> Void) {
        let all = filled
        filled = 0
        for index in 0..<all { body(unsafe (storage + index).move()) }
    }

    /// Decides about each packet of a group, in order.
    public typealias GroupSorter = (
        _ decide: (inout Packet) -> Sorting, _ taken: (consuming Packet) -> Void
    ) -> Void

    /// As `sort`, for packets that follow each other to one peer together: `body` says once for all of them how to decide
    /// about each. What it finds out about the peer it finds out once, and holds without counting references.
    @inlinable public mutating func sortByPeer(_ body: (_ peer: PeerID, _ packets: GroupSorter) -> Void) {
        let all = filled
        var (kept, next) = (0, 0)
        while next < all {
            let peer = unsafe storage[next].peer
            var end = next + 1
            while end < all, unsafe storage[end].peer == peer { end += 1 }
            body(peer) { sort(upTo: end, &next, kept: &kept, $0, taken: $1) }
            precondition(next == end, "every packet is decided about")
        }
        filled = kept
    }

    @inlinable func sort(
        upTo end: Int, _ next: inout Int, kept: inout Int, _ decide: (inout Packet) -> Sorting,
        taken: (consuming Packet) -> Void
    ) {
        while next < end {
            switch unsafe decide(&storage[next]) {
            case .pass: keep(next, asNumber: &kept)
            case .drop: recycle(unsafe (storage + next).move())
            case .take: taken(unsafe (storage + next).move())
            }
            next += 1
        }
    }

    /// Empties the batch; every buffer goes back to the pool.
    public mutating func removeAll() {
        let all = filled
        filled = 0
        for index in 0..<all { recycle(unsafe (storage + index).move()) }
    }

    /// Gives a packet's buffer back to the pool.
    public func recycle(_ packet: consuming Packet) { pool.recycle(packet) }

    /// Trades the packets of two batches: how a stage puts what it made in the place of what it was given.
    public mutating func exchangePackets(with other: inout PacketBatch) {
        unsafe swap(&storage, &other.storage)
        swap(&filled, &other.filled)
    }
}

/// What an end found out about a peer's path, for the stages above it.
public enum Notice: Sendable {
    /// The source address kept for this peer is no longer ours; it was sent without one (P-6.3).
    case sourceGone(PeerID)
}

extension [Notice] {
    /// Tells once a batch and peer, which is enough for the stages to forget the source.
    public mutating func appendSourceGone(_ peer: PeerID) {
        for case .sourceGone(peer) in self { return }
        append(.sourceGone(peer))
    }
}
