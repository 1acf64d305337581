import Crypto
import Wire

/// An interface as `get=1` tells of it, secrets included.
package struct DeviceState: Sendable {
    package struct Peer: Sendable {
        package let publicKey: PublicKey
        /// nil: none.
        package var presharedKey: Shared<PresharedKey>?
        /// nil until it is known.
        package var endpoint: Endpoint?
        package var lastHandshake: WallTime?
        /// UDP payload of authentic messages (P-4.24).
        package var received: UInt64 = 0
        package var sent: UInt64 = 0
        /// Seconds; 0 is off.
        package var persistentKeepalive: UInt16 = 0
        /// The one that was given last at the end (P-7.3).
        package var allowedIPs: [Prefix] = []

        package init(_ publicKey: PublicKey) { self.publicKey = publicKey }
    }

    /// nil: the interface is nobody.
    package var privateKey: Shared<PrivateKey>?
    package var listenPort: UInt16 = 0
    package var fwmark: UInt32 = 0
    package var peers: [Peer] = []

    package init() {}
}
