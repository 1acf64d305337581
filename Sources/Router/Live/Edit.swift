import Control
import Crypto
import Pipeline
import Wire
import WireGuard

/// What a change comes to, once it is sure that it can be made: exactly what the workers have to do for it, and nothing
/// for what stays as it is.
struct Edit: Sendable {
    /// A peer that is new to its owner.
    struct Addition: Sendable {
        let peer: RegisteredPeer
        let endpoint: Endpoint?
        /// It takes the place of an earlier peer of the same key and number.
        let isReplacement: Bool
    }

    /// What is different about a peer that stays; nil for what is as before.
    struct Adjustment: Sendable {
        let id: PeerID
        let worker: Int
        /// An absent one for none.
        var presharedKey: Shared<PresharedKey>?
        var endpoint: Endpoint?
        var persistentKeepalive: UInt16?
        /// Whether it is sought by a name.
        var isSoughtByName: Bool?
        /// Another group than before; nil in it for none.
        var group: GroupID??
        /// Options of stages that are others than before, by stage; nil for those that are gone.
        var stageOptions: [String: (any OptionRecord)?] = [:]

        var isEmpty: Bool {
            presharedKey == nil && endpoint == nil && persistentKeepalive == nil && isSoughtByName == nil
                && group == nil && stageOptions.isEmpty
        }
    }

    let interface: InterfaceID
    /// The interface is somebody else now, or nobody.
    var identityChanges = false
    var additions: [Addition] = []
    var adjustments: [Adjustment] = []
    /// Prefixes that have another owner than before, `PeerID.none` for none.
    var prefixes: [(Prefix, PeerID)] = []
    var removals: [RegisteredPeer] = []
    /// Peers that are to be sought by a name.
    var searches: [(peer: PeerID, name: HostPort)] = []

    init(_ interface: InterfaceID) { self.interface = interface }

    /// Peers that are gone, new, or said to be somewhere.
    var settledPeers: [PeerID] {
        removals.map(\.id) + additions.map(\.peer.id)
            + adjustments.filter { $0.endpoint != nil || $0.isSoughtByName == false }.map(\.id)
    }

    /// For the log, without a key: `private key, 2 peers added, 1 changed, 4 prefixes moved`; empty for a change of nothing.
    var summary: [String] {
        var parts: [String] = identityChanges ? ["private key"] : []
        for (count, one, many, verb) in [
            (additions.count, "peer", "peers", "added"), (adjustments.count, "peer", "peers", "changed"),
            (removals.count, "peer", "peers", "removed"), (prefixes.count, "prefix", "prefixes", "moved"),
        ] where count > 0 {
            parts.append("\(count) \(count == 1 ? one : many) \(verb)")
        }
        return parts
    }
}
