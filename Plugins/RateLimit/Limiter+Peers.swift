import Pipeline
import Wire

// Peers and groups come, change and go between two turns. What changes keeps its queue, and what its buckets hold.
extension Limiter {
    /// Another limit for those that have none of their own.
    mutating func setStandard(_ limit: Limit) {
        standard = limit
        for index in peers.indices where peers[index].isPresent && peers[index].options == nil { apply(index) }
    }

    // MARK: Peers

    mutating func set(_ peer: PeerID, _ options: Limit?) {
        guard let index = admit(peer) else { return }
        peers[index].options = options
        apply(index)
    }

    mutating func set(_ peer: PeerID, group: GroupID?) {
        guard let index = admit(peer), peers[index].group != group?.index ?? -1 else { return }
        let waitsForGroup = peers[index].standing == .inRing
        if waitsForGroup { leave(index) }
        peers[index].group = group?.index ?? -1
        if let group { admit(group) }
        if waitsForGroup { wait(index, moment) }
    }

    mutating func remove(_ peer: PeerID) {
        let index = peer.index
        guard peers.indices.contains(index), peers[index].isPresent else { return }
        if peers[index].standing == .inRing { leave(index) }
        forgetTimer(ofPeer: index)
        if var queue = peers[index].queue.take() {
            queue.removeAll(&store, &tally, .peerGone)
            backlog.set(index, 0)
            keep(queue)
        }
        // Its number will be another peer's.
        for interface in departed.indices { removeDeparted(of: peer, on: interface) }
        peers[index] = LimitedPeer(moment, wall)
    }

    private mutating func removeDeparted(of peer: PeerID, on interface: Int) {
        var others = PacketStore.List()
        while !departed[interface].isEmpty {
            if store.withFirst(departed[interface], { $0.peer == peer }) == true {
                guard let packet = store.removeFirst(&departed[interface]) else { break }
                departedCount -= 1
                tally.drop(packet, .peerGone)
            } else {
                store.moveFirst(&departed[interface], to: &others)
            }
        }
        departed[interface] = others
    }

    /// The peer's index, where it has a place now.
    private mutating func admit(_ peer: PeerID) -> Int? {
        guard peer.index >= 0 else { return nil }
        while peers.count <= peer.index { peers.append(LimitedPeer(moment, wall)) }
        peers[peer.index].isPresent = true
        return peer.index
    }

    private mutating func apply(_ index: Int) {
        peers[index].account.change(peers[index].options ?? standard, now: moment, wall)
        reschedule(index, moment)
    }

    // MARK: Groups

    mutating func set(_ group: GroupID, _ options: Limit?) {
        guard group.index >= 0 else { return }
        admit(group)
        groups[group.index].account.change(options ?? .none, now: moment, wall)
        if groups[group.index].isWaiting { wait(group: group.index, moment) }
    }

    mutating func remove(_ group: GroupID) {
        guard groups.indices.contains(group.index) else { return }
        for index in peers.indices where peers[index].group == group.index { set(PeerID(index), group: nil) }
        forgetTimer(ofGroup: group.index)
        groups[group.index] = LimitedGroup(moment, wall)
    }

    private mutating func admit(_ group: GroupID) {
        while groups.count <= group.index { groups.append(LimitedGroup(moment, wall)) }
    }
}
