import Pipeline
import Wire
import WireGuard

/// The packets of a worker's peers that wait for a session, or for room in a batch.
///
/// Two bounds hold. Of one peer's packets the oldest gives way. Of all peers' memory the peer gives way that has waited
/// longest, with everything that it has: mostly somebody who is not there, while others' handshakes are answered.
final class Staging {
    /// The most memory of all packets together: a thousand super-packets.
    static let memoryBound = 64 << 20

    private let pool: BufferPool
    private let bound: Int
    private var queues = PeerTable<StagedPackets>()
    /// Who waits, from the one who has waited longest.
    private var first: StagedPackets?
    private unowned(unsafe) var last: StagedPackets?
    /// How many packets these are on the wire, and the memory that they take.
    private(set) var packets = 0
    private(set) var memory = 0

    init(_ pool: BufferPool, memoryBound: Int = memoryBound) {
        self.pool = pool
        bound = memoryBound
    }

    deinit {
        // One after the other: a chain would be let go of by as many calls within each other.
        while let queue = first {
            first = queue.next
            queue.next = nil
        }
    }

    var isEmpty: Bool { first == nil }

    /// What waits for a peer; nil for nothing.
    subscript(peer: PeerID) -> StagedPackets? { queues[peer] }

    /// The peers that something waits for.
    var peers: [PeerID] {
        var peers: [PeerID] = []
        var next = first
        while let queue = next {
            peers.append(queue.peer)
            next = queue.next
        }
        return peers
    }

    /// What waits for a peer, made when there is nothing yet.
    func waiting(for peer: PeerID) -> StagedPackets {
        if let queue = queues[peer] { return queue }
        let queue = StagedPackets(peer)
        queues[peer] = queue
        link(queue)
        return queue
    }

    /// Puts a packet behind what waits for its peer. What has to give way is told of before it goes.
    func append(_ packet: consuming Packet, dropping: (borrowing Packet, Cause) -> Void) {
        let queue = waiting(for: packet.peer)
        // The bound is looked at before a packet is added, so that a super-packet is kept whole (P-4.13).
        while !queue.waitsForRoom, queue.packets >= Limits.stagedPackets, let oldest = pop(queue) {
            drop(oldest, .peerBound, dropping)
        }
        let size = packet.buffer.size.rawValue
        while memory + size > bound, let victim = first {
            // Its own oldest where it is alone.
            if victim === queue {
                guard let oldest = pop(queue) else { break }
                drop(oldest, .memoryBound, dropping)
            } else {
                removeAll(of: victim.peer) { dropping($0, .memoryBound) }
            }
        }
        packets += packet.wirePackets
        memory += size
        guard let oldest = queue.append(packet) else { return }
        take(oldest)
        drop(oldest, .peerBound, dropping)
    }

    enum Cause {
        case peerBound, memoryBound
    }

    /// The oldest of what waits for a peer.
    func pop(_ queue: StagedPackets) -> Packet? {
        guard let packet = queue.popFirst() else { return nil }
        take(packet)
        return packet
    }

    /// Puts back what was just popped.
    func putBack(_ packet: consuming Packet, _ queue: StagedPackets) {
        packets += packet.wirePackets
        memory += packet.buffer.size.rawValue
        queue.putBack(packet)
    }

    /// Nothing waits for the peer any more; each packet that did is told of before it goes.
    func removeAll(of peer: PeerID, dropping: (borrowing Packet) -> Void = { _ in }) {
        guard let queue = queues[peer] else { return }
        while let packet = pop(queue) {
            dropping(packet)
            pool.recycle(packet)
        }
        queues[peer] = nil
        unlink(queue)
    }

    private func drop(_ packet: consuming Packet, _ cause: Cause, _ dropping: (borrowing Packet, Cause) -> Void) {
        dropping(packet, cause)
        pool.recycle(packet)
    }

    private func take(_ packet: borrowing Packet) {
        packets -= packet.wirePackets
        memory -= packet.buffer.size.rawValue
    }

    // MARK: Who has waited longest

    private func link(_ queue: StagedPackets) {
        unsafe queue.previous = last
        if let last = unsafe last { last.next = queue } else { first = queue }
        unsafe last = queue
    }

    private func unlink(_ queue: StagedPackets) {
        let (previous, next) = unsafe (queue.previous, queue.next)
        if let previous { previous.next = next } else { first = next }
        if let next { unsafe next.previous = previous } else { unsafe last = previous }
        queue.next = nil
        unsafe queue.previous = nil
    }
}

/// The packets of one peer that wait, oldest first.
final class StagedPackets {
    let peer: PeerID
    private var queue = StagedQueue<Packet>()
    /// How many they are on the wire.
    private(set) var packets = 0
    /// True when there is a session, and only a batch was full: then nothing is given up for a moment's wait.
    var waitsForRoom = false

    /// Those who have waited longer and less long.
    fileprivate unowned(unsafe) var previous: StagedPackets?
    fileprivate var next: StagedPackets?

    fileprivate init(_ peer: PeerID) { self.peer = peer }

    /// The oldest, when there are too many of them however small they are.
    fileprivate func append(_ packet: consuming Packet) -> Packet? {
        packets += packet.wirePackets
        guard let oldest = queue.append(packet) else { return nil }
        packets -= oldest.wirePackets
        return oldest
    }

    fileprivate func popFirst() -> Packet? {
        guard let packet = queue.popFirst() else { return nil }
        packets -= packet.wirePackets
        return packet
    }

    fileprivate func putBack(_ packet: consuming Packet) {
        packets += packet.wirePackets
        queue.putBack(packet)
    }
}
