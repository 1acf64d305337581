import Configuration
import Crypto
import Pipeline
import Wire
import WireGuard

extension RouterPlan.Interface {
    /// Who the interface is; loads its private key.
    func identity(_ keys: KeyFile) throws(KeyProblem) -> Identity {
        Identity(try keys.privateKey(configuration.privateKey.value))
    }
}

extension RouterPlan.Peer {
    /// The protocol's view of the peer; loads its preshared key. An endpoint that is a name is looked up later.
    func protocolConfiguration(_ keys: KeyFile) throws(KeyProblem) -> WireGuard.PeerConfiguration {
        let presharedKey: PresharedKey
        if let source = configuration.presharedKey {
            presharedKey = try keys.presharedKey(source.value)
        } else {
            presharedKey = PresharedKey()
        }
        return WireGuard.PeerConfiguration(
            id: id, publicKey: configuration.publicKey.value, presharedKey: presharedKey,
            endpoint: configuration.endpoint?.value.endpoint,
            persistentKeepalive: configuration.persistentKeepalive ?? .seconds(0))
    }
}
