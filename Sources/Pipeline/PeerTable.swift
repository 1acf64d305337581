import Wire

/// What a stage keeps for each peer, by the peer's number: an array, because numbers are dense.
package struct PeerTable<Value> {
    private var values: ContiguousArray<Value?> = []

    package init() {}

    /// nil for a peer that nothing is kept for.
    package subscript(peer: PeerID) -> Value? {
        get { values.indices.contains(peer.index) ? values[peer.index] : nil }
        set {
            guard peer.index >= 0 else { return }
            while newValue != nil, values.count <= peer.index { values.append(nil) }
            if values.indices.contains(peer.index) { values[peer.index] = newValue }
        }
    }

    /// The peers that something is kept for, in the order of their numbers.
    package var peers: [PeerID] { values.indices.filter { values[$0] != nil }.map { PeerID($0) } }
}
