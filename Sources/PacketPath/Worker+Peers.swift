import Pipeline
import Wire
import WireGuard

// Peers come and go while packets flow. Each is called between two turns.
extension Worker {
    /// Takes over a peer that this worker owns. `options` gives what the file says of it for a stage.
    package func add(
        _ peer: consuming PeerConfiguration, on interface: InterfaceID, _ now: Instant, group: GroupID? = nil,
        options: (StageDeclaration) -> (any OptionRecord)? = { _ in nil }
    ) {
        let id = peer.id
        wireGuard.add(peer, on: interface, now)
        for stage in stages {
            if let group { stage.set(id, group: group) }
            stage.set(id, options: options(type(of: stage).declaration))
        }
    }

    /// Takes over a group, or what the file says of it now; before its peers.
    package func set(_ group: GroupID, options: (StageDeclaration) -> (any OptionRecord)?) {
        for stage in stages { stage.set(group, options: options(type(of: stage).declaration)) }
    }

    /// Forgets a group that no peer is in any more.
    package func remove(_ group: GroupID) { for stage in stages { stage.remove(group) } }

    /// Forgets a peer that this worker owns, and drops what is kept for it.
    package func remove(_ peer: PeerID) { for stage in stages { stage.remove(peer) } }

    /// Forgets a peer whose number another one of the same key gets at once: all but its prefixes, which are every
    /// worker's.
    package func forgetSession(of peer: PeerID) {
        for stage in stages where !(stage is AllowedIPsStage) { stage.remove(peer) }
    }

    /// Gives prefixes to peers, `PeerID.none` for nobody.
    package func set(_ owners: some Sequence<(Prefix, PeerID)>, on interface: InterfaceID) {
        guard let routes = stage(AllowedIPsStage.self) else { return }
        for (prefix, peer) in owners { routes.set(prefix, peer, on: interface) }
    }
}
