import Configuration
import Crypto
import Pipeline

/// What a file says of an interface, its secrets read.
struct InterfaceFile: Sendable {
    let configuration: InterfaceConfiguration
    let secrets: InterfaceSecrets

    init(_ configuration: InterfaceConfiguration, _ keys: KeyFile) throws(KeyProblem) {
        self.configuration = configuration
        secrets = try InterfaceSecrets(configuration, keys)
    }
}

/// The secrets that an interface's part of a file refers to.
struct InterfaceSecrets: Sendable {
    let privateKey: Shared<PrivateKey>?
    let presharedKeys: [PublicKey: Shared<PresharedKey>]

    init(_ configuration: InterfaceConfiguration, _ keys: KeyFile) throws(KeyProblem) {
        var privateKey: Shared<PrivateKey>?
        if let source = configuration.privateKey { privateKey = Shared(try keys.privateKey(source.value)) }
        var presharedKeys: [PublicKey: Shared<PresharedKey>] = [:]
        for peer in configuration.peers {
            guard let source = peer.presharedKey else { continue }
            presharedKeys[peer.publicKey.value] = Shared(try keys.presharedKey(source.value))
        }
        self.privateKey = privateKey
        self.presharedKeys = presharedKeys
    }
}
