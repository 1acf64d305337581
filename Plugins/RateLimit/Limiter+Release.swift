import Pipeline
import Wire

// Earliest departure times. A peer with packets waits on the wheel for its own bucket, and then in its group's ring for the
// group's; a group whose ring is not empty waits on the same wheel.
extension Limiter {
    /// A peer keeps its empty queue for so long: a flow that goes on is judged by what was before.
    private static let rest = Interval.seconds(1)
    /// Queues kept for peers that will need one; each takes some 20 kB.
    private static let spareQueueBound = 64
    /// What a member of a group may send in a turn: a packet.
    private static let turnBytes = CoDel.Parameters.standard.largestPacket

    private static func wheelID(peer index: Int) -> Int { 2 * index }
    private static func wheelID(group index: Int) -> Int { 2 * index + 1 }

    /// A peer's packet is to wait.
    mutating func makeQueue(for index: Int, _ interface: InterfaceID) {
        guard !peers[index].hasQueue else { return }
        var queue = spareQueues.popLast() ?? FlowQueue()
        queue.interface = interface
        peers[index].queue = queue
    }

    /// A peer for which nothing waited has something now.
    mutating func awaken(_ index: Int, _ now: Instant) {
        switch peers[index].standing {
        case .idle, .resting: wait(index, now)
        case .waiting, .inRing: break
        }
    }

    /// A limit has changed, so that what waits may go at another time.
    mutating func reschedule(_ index: Int, _ now: Instant) {
        switch peers[index].standing {
        case .waiting: wait(index, now)
        case .idle, .resting, .inRing: break
        }
    }

    mutating func wait(_ index: Int, _ now: Instant) {
        let readiness = peers[index].account.readiness(.outbound, now)
        peers[index].standing = .waiting
        if readiness > now {
            wheel.set(Self.wheelID(peer: index), min(readiness, max(peers[index].account.nextLook, now)))
        } else {
            wheel.set(Self.wheelID(peer: index), .never)
            due.append(Self.wheelID(peer: index))
        }
    }

    mutating func wait(group: Int, _ now: Instant) {
        let readiness = groups[group].account.readiness(.outbound, now)
        groups[group].isWaiting = true
        if readiness > now {
            wheel.set(Self.wheelID(group: group), min(readiness, max(groups[group].account.nextLook, now)))
        } else {
            wheel.set(Self.wheelID(group: group), .never)
            due.append(Self.wheelID(group: group))
        }
    }

    mutating func forgetTimer(ofPeer index: Int) { wheel.set(Self.wheelID(peer: index), .never) }
    mutating func forgetTimer(ofGroup index: Int) { wheel.set(Self.wheelID(group: index), .never) }

    /// Takes out of the queues what may depart by now.
    mutating func releaseDue(_ now: Instant) {
        wheel.expire(now) { due.append($0) }
        // Others become due meanwhile.
        var next = 0
        while next < due.count {
            let id = due[next]
            if id % 2 == 0 { serve(peer: id / 2, now) } else { serve(group: id / 2, now) }
            next += 1
        }
        due.removeAll(keepingCapacity: true)
    }

    private mutating func serve(peer index: Int, _ now: Instant) {
        guard peers.indices.contains(index) else { return }
        switch peers[index].standing {
        case .idle, .inRing: return
        case .resting: return putAway(index)
        case .waiting: _ = peers[index].account.look(now, wall)
        }
        let group = peers[index].group
        if group >= 0 {
            join(index, group)
            if !groups[group].isWaiting { wait(group: group, now) }
            return
        }
        while peers[index].account.readiness(.outbound, now) <= now {
            guard depart(index, now) > 0 else { return comeToRest(index, now) }
        }
        settle(index, now)
    }

    private mutating func serve(group index: Int, _ now: Instant) {
        guard groups.indices.contains(index) else { return }
        groups[index].isWaiting = false
        _ = groups[index].account.look(now, wall)
        while groups[index].hasRing, groups[index].account.readiness(.outbound, now) <= now {
            let member = Int(groups[index].first)
            if peers[member].deficit <= 0 {
                peers[member].deficit += Self.turnBytes
                leave(member)
                join(member, index)
                continue
            }
            let bytes = depart(member, now)
            peers[member].deficit -= bytes
            guard !peers[member].hasPackets || peers[member].account.readiness(.outbound, now) > now else {
                continue
            }
            leave(member)
            settle(member, now)
        }
        if groups[index].hasRing { wait(group: index, now) }
    }

    /// A peer that has had its turn: it waits for the next one, or has nothing more to send.
    private mutating func settle(_ index: Int, _ now: Instant) {
        if peers[index].hasPackets { wait(index, now) } else { comeToRest(index, now) }
    }

    /// It has nothing to send: its queue stays for a while, for what may come.
    private mutating func comeToRest(_ index: Int, _ now: Instant) {
        peers[index].standing = .resting
        peers[index].deficit = 0
        wheel.set(Self.wheelID(peer: index), now + Self.rest)
    }

    private mutating func putAway(_ index: Int) {
        peers[index].standing = .idle
        if let queue = peers[index].queue.take() { keep(queue) }
    }

    /// An empty queue is there for the next peer that needs one.
    mutating func keep(_ queue: consuming FlowQueue) {
        queue.reset()
        if spareQueues.count < Self.spareQueueBound { spareQueues.append(queue) }
    }

    /// The peer's next packet leaves its queue; how many bytes it is charged, 0 when there is none.
    private mutating func depart(_ index: Int, _ now: Instant) -> Int {
        let (codel, wholeBytes) = (codel(index), wholeBytes(index))
        let packet = peers[index].queue?.next(codel, wholeBytes: wholeBytes, now, &store, &tally)
        backlog.set(index, peers[index].queuedMemory)
        guard let packet else { return 0 }
        let bytes = packet.innerBytes
        charge(index, .outbound, bytes, now)
        let interface = peers[index].queue?.interface ?? InterfaceID(0)
        let note = PacketStore.Note(bytes: bytes, arrival: now, memory: packet.buffer.size.rawValue)
        store.append(packet, note, to: &departed[interface.index])
        departedCount += 1
        return bytes
    }

    // MARK: A group's ring

    mutating func join(_ member: Int, _ group: Int) {
        peers[member].standing = .inRing
        peers[member].next = -1
        peers[member].previous = groups[group].last
        if groups[group].last >= 0 {
            peers[Int(groups[group].last)].next = Int32(member)
        } else {
            groups[group].first = Int32(member)
        }
        groups[group].last = Int32(member)
    }

    mutating func leave(_ member: Int) {
        let (group, next, previous) = (peers[member].group, peers[member].next, peers[member].previous)
        if previous >= 0 { peers[Int(previous)].next = next } else { groups[group].first = next }
        if next >= 0 { peers[Int(next)].previous = previous } else { groups[group].last = previous }
    }
}
