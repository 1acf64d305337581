import Wire

/// What a stage keeps for each peer, by the peer's number: an array, because numbers are dense.
/// Read for each packet, hence inlinable (etc/decisions/inlining.md).
public struct PeerTable<Value> {
    @usableFromInline var values: ContiguousArray<Value?> = []

    public init() {}

    /// nil for a peer that nothing is kept for.
    public subscript(peer: PeerID) -> Value? {
        @inlinable get { peer.index >= 0 && peer.index < values.count ? values[peer.index] : nil }
        set {
            guard peer.index >= 0 else { return }
            while newValue != nil, values.count <= peer.index { values.append(nil) }
            if values.indices.contains(peer.index) { values[peer.index] = newValue }
        }
    }

    /// The peers that something is kept for, in the order of their numbers.
    public var peers: [PeerID] { values.indices.filter { values[$0] != nil }.map { PeerID($0) } }
}
