import Pipeline
import Wire

// What is used of a quota outlives the router. What a bucket holds does not: it is worth some milliseconds.
extension RateLimit: RememberingStage {
    package func memory(of peer: PeerID) -> String? { limiter.memory(of: peer) }
    package func memory(of group: GroupID) -> String? { limiter.memory(of: group) }
    package func remember(_ memory: String, of peer: PeerID) { limiter.remember(memory, of: peer) }
    package func remember(_ memory: String, of group: GroupID) { limiter.remember(memory, of: group) }
}

extension Limiter {
    func memory(of peer: PeerID) -> String? {
        peers.indices.contains(peer.index) ? peers[peer.index].account.meter?.memory : nil
    }

    func memory(of group: GroupID) -> String? {
        groups.indices.contains(group.index) ? groups[group.index].account.meter?.memory : nil
    }

    mutating func remember(_ memory: String, of peer: PeerID) {
        guard peers.indices.contains(peer.index) else { return }
        peers[peer.index].account.remember(memory, moment)
    }

    mutating func remember(_ memory: String, of group: GroupID) {
        guard groups.indices.contains(group.index) else { return }
        groups[group.index].account.remember(memory, moment)
    }
}
