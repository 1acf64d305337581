import AllowedIPs
import Configuration
import Crypto
import Pipeline
import Wire
import WireGuard

/// A peer as the control plane knows it: what it is, not how it stands, which its owner knows.
struct RegisteredPeer: Sendable {
    let id: PeerID
    let interface: InterfaceID
    let publicKey: PublicKey
    /// From the file; for a peer that came later a short form of its key.
    var name: String
    /// The worker that owns it.
    let worker: Int
    /// Peers are listed in the order in which they came.
    let serial: UInt64
    /// nil for one in no group.
    var group: GroupID?
    /// What the file says of it; nil for a peer that came later.
    var configuration: Configuration.PeerConfiguration?
    /// Where it was last said to be, by the file or by a client; it may be elsewhere by now.
    var toldEndpoint: HostPort?
    /// nil: none.
    var presharedKey: Shared<PresharedKey>?
    /// Seconds; 0 is off.
    var persistentKeepalive: UInt16 = 0

    /// Enough of a key to tell peers apart by eye.
    static func shortName(_ key: PublicKey) -> String { key.base64.prefix(8) + "…" }

    /// The protocol's view of it. An endpoint that is a name is looked up later.
    func protocolConfiguration(endpoint: Endpoint?) -> WireGuard.PeerConfiguration {
        WireGuard.PeerConfiguration(
            id: id, publicKey: publicKey, presharedKey: presharedKey?.value.copy() ?? PresharedKey(),
            endpoint: endpoint, persistentKeepalive: .seconds(UInt64(persistentKeepalive)),
            reportsSilence: endpoint == nil && isSoughtByName)
    }

    /// Whether it was last said to be where a name leads.
    var isSoughtByName: Bool { toldEndpoint.map { $0.endpoint == nil } ?? false }
}

/// A group of peers as the control plane knows it.
struct RegisteredGroup: Sendable {
    let id: GroupID
    let name: String
    /// The worker that owns all of its peers.
    let worker: Int
    /// By stage.
    var stageOptions: [String: any OptionRecord]
}

/// A peer by what it is for as long as the router runs, whether it is there or not.
struct PeerIdentity: Hashable {
    let interface: InterfaceID
    let publicKey: PublicKey
}

/// An interface as the control plane knows it.
struct RegisteredInterface {
    let id: InterfaceID
    var name: String
    /// True for a slot that its interface has left.
    var isVacant = false
    var addresses: [String]
    /// nil: it is nobody.
    var privateKey: Shared<PrivateKey>?
    var listenPort: UInt16
    var fwmark: UInt32
    /// Whether the host's default route goes by the mark, so that it may not change.
    var isMarkFixed: Bool
    var mtu: Int
    /// Of routes out of it that say one.
    var routeMTUs: Set<Int> = []
    var isUp: Bool
    /// Whether there are sockets: not while it is down, nor when the port could not be had when it came up.
    var isBound: Bool
    var peers: [PublicKey: PeerID] = [:]
    /// What the file says of peers that clients have removed: who comes again is who it was, to rules and to stages.
    var setAside: [PublicKey: Configuration.PeerConfiguration] = [:]
    /// Who has which prefix, and each peer's in the order in which it got them.
    var routes = PrefixTable()

    var publicKey: PublicKey? { privateKey?.value.publicKey }
}

/// A table that is one thing wherever it is looked at from. Used under the registry's lock alone.
final class PrefixTable {
    var prefixes = AllowedIPs()
}
