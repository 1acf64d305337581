import Wire

/// The peers of one interface that one worker owns: by number for each packet, and one after the other.
final class PeerList {
    // Nothing here calls out, so no access can overlap another; the check for it would cost more than the look-up.
    /// By `Peer.slot`; freed slots are used again.
    @exclusivity(unchecked) private var peers: ContiguousArray<Peer?> = []
    /// By `PeerID.index`, −1 for those that are not here: four bytes for each peer of the router, and no hashing for
    /// each packet.
    @exclusivity(unchecked) private var slots: ContiguousArray<Int32> = []
    private var freeSlots: [Int] = []

    /// Where the next peer will be.
    var freeSlot: Int { unsafe freeSlots.last ?? peers.count }

    /// Takes a peer that is not there yet, whose slot is `freeSlot`.
    func insert(_ peer: Peer) {
        precondition(self[peer.id] == nil, "a peer is added once")
        precondition(peer.slot == freeSlot, "a slot is one peer's")
        if freeSlots.popLast() == nil { unsafe peers.append(peer) } else { unsafe peers[peer.slot] = peer }
        while unsafe slots.count <= peer.id.index { unsafe slots.append(-1) }
        unsafe slots[peer.id.index] = Int32(peer.slot)
    }

    func remove(_ peer: Peer) {
        unsafe slots[peer.id.index] = -1
        unsafe peers[peer.slot] = nil
        freeSlots.append(peer.slot)
    }

    subscript(id: PeerID) -> Peer? {
        guard unsafe slots.indices.contains(id.index) else { return nil }
        let slot = unsafe Int(slots[id.index])
        return unsafe slot < 0 ? nil : peers[slot]
    }
}

/// By slot; empty ones are nil.
extension PeerList: RandomAccessCollection {
    var startIndex: Int { 0 }
    var endIndex: Int { unsafe peers.count }
    subscript(slot: Int) -> Peer? { unsafe peers[slot] }
}
