import Pipeline
import Wire

/// A peer of this worker, by `PeerID.index`.
struct LimitedPeer {
    enum Standing {
        /// Nothing waits.
        case idle
        /// Nothing waits, and the queue is kept for a while.
        case resting
        /// Until its own bucket allows the next packet.
        case waiting
        /// In its group's ring, until the group's bucket allows it.
        case inRing
    }

    var account: Account
    /// What the file gives it; nil: the stage's default.
    var options: Limit?
    /// Its group's index, −1 for none.
    var group = -1
    var standing = Standing.idle
    /// nil as long as nothing has had to wait.
    var queue: FlowQueue?
    /// In its group's ring.
    var next: Int32 = -1
    var previous: Int32 = -1
    /// Bytes that it may send before others of the group have their turn.
    var deficit = 0
    /// False for a number that is nobody's.
    var isPresent = false

    init(_ now: Instant, _ wall: () -> WallTime) { account = Account(.none, now: now, wall) }

    var hasQueue: Bool { queue != nil }
    /// Something waits.
    var hasPackets: Bool { queue?.count ?? 0 > 0 }
    var queuedMemory: Int { queue?.memory ?? 0 }
}

/// A group of peers, by `GroupID.index`: they share its account, and take turns where not all can go.
struct LimitedGroup {
    var account: Account
    /// Those whose next packet only the group holds up, in the order of their turns.
    var first: Int32 = -1
    var last: Int32 = -1
    /// The wheel will tell, or it is due.
    var isWaiting = false

    var hasRing: Bool { first >= 0 }

    init(_ now: Instant, _ wall: () -> WallTime) { account = Account(.none, now: now, wall) }
}

// What a peer may do is what both its own account and its group's allow. Inlined is what changes nothing: for a call swiftc
// 6.3 would copy the whole of a struct as large as this one.
extension Limiter {
    @inline(__always) private func group(_ index: Int) -> Int? {
        let group = peers[index].group
        return group >= 0 ? group : nil
    }

    mutating func look(_ index: Int, _ now: Instant) {
        if peers[index].account.look(now, wall) { reschedule(index, now) }
        if let group = group(index) { look(group: group, now) }
    }

    mutating func look(group: Int, _ now: Instant) {
        if groups[group].account.look(now, wall), groups[group].isWaiting { wait(group: group, now) }
    }

    @inline(__always) func isBlocked(_ index: Int) -> Bool {
        peers[index].account.isBlocked || group(index).map { groups[$0].account.isBlocked } ?? false
    }

    @inline(__always) func isShaped(_ index: Int) -> Bool {
        peers[index].account.isShaped || group(index).map { groups[$0].account.isShaped } ?? false
    }

    /// Whether a packet would overtake no other one: of the peer, or of those that wait for the same bucket, or that have
    /// departed and found no room yet.
    @inline(__always) func nobodyWaits(for index: Int) -> Bool {
        departedCount == 0 && !peers[index].hasPackets
            && !(group(index).map { groups[$0].hasRing } ?? false)
    }

    @inline(__always) func wholeBytes(_ index: Int) -> Int {
        let own = peers[index].account.wholeBytes
        return group(index).map { min(own, groups[$0].account.wholeBytes) } ?? own
    }

    /// Where there is no limit any more, what has waited for it was not held up by its sender.
    @inline(__always) func codel(_ index: Int) -> CoDel.Parameters {
        guard isShaped(index) else { return .patient }
        let own = peers[index].account.codel
        guard let group = group(index), groups[group].account.codel.target > own.target else { return own }
        return groups[group].account.codel
    }

    mutating func readiness(_ index: Int, _ direction: Direction, _ now: Instant) -> Instant {
        let own = peers[index].account.readiness(direction, now)
        return group(index).map { max(own, groups[$0].account.readiness(direction, now)) } ?? own
    }

    mutating func isReadyForRouting(_ index: Int, _ direction: Direction, _ now: Instant) -> Bool {
        peers[index].account.isReadyForRouting(direction, now)
            && group(index).map { groups[$0].account.isReadyForRouting(direction, now) } ?? true
    }

    mutating func chargeRouting(_ index: Int, _ direction: Direction, _ bytes: Int) {
        peers[index].account.chargeRouting(direction, bytes)
        if let group = group(index) { groups[group].account.chargeRouting(direction, bytes) }
    }

    mutating func charge(_ index: Int, _ direction: Direction, _ bytes: Int, _ now: Instant) {
        peers[index].account.charge(direction, bytes, now)
        if let group = group(index) { groups[group].account.charge(direction, bytes, now) }
    }
}
