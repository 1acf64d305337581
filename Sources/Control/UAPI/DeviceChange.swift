import Crypto
import Wire

/// What one `set=1` asks for: each value checked by itself, nothing applied yet (P-8.1…P-8.12).
///
/// Peers stand in the order of the request, and one may stand there more than once: what is said later counts.
package struct DeviceChange: Sendable {
    package enum Key: Sendable {
        /// All zeros: from now on the interface is nobody.
        case remove
        case set(Shared<PrivateKey>)
    }

    package var privateKey: Key?
    /// 0 lets the kernel choose.
    package var listenPort: UInt16?
    package var fwmark: UInt32?
    /// The peers that are there go first.
    package var replacesPeers = false
    package var peers: [PeerChange] = []

    package init() {}
}

/// What is asked for one peer.
package struct PeerChange: Sendable {
    package struct AllowedIP: Hashable, Sendable {
        package let prefix: Prefix
        /// Taken from the peer, if the peer has it (P-7.5).
        package let isRemoval: Bool

        package init(_ prefix: Prefix, isRemoval: Bool = false) {
            self.prefix = prefix
            self.isRemoval = isRemoval
        }
    }

    package let publicKey: PublicKey
    /// The peer goes, and nothing else of this counts.
    package var isRemoval = false
    /// Only if the peer is there already.
    package var isUpdateOnly = false
    /// Zeros remove it.
    package var presharedKey: Shared<PresharedKey>?
    package var endpoint: Endpoint?
    /// Seconds; 0 switches it off.
    package var persistentKeepalive: UInt16?
    package var replacesAllowedIPs = false
    /// In the order of the request.
    package var allowedIPs: [AllowedIP] = []

    package init(_ publicKey: PublicKey) { self.publicKey = publicKey }
}
