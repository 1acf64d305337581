import Testing

@testable import Crypto

/// The examples of RFC 7748 (X25519), and the points that give no secret.
@Suite struct RFC7748Tests {
    @Test(
        "§5.2: scalar, point and product",
        arguments: [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
            ),
        ])
    func products(scalar: String, point: String, product: String) {
        let shared = hex(scalar).privateKey.sharedSecret(with: hex(point).publicKey)
        #expect(shared?.array == hex(product))
    }

    @Test("§5.2: one and a thousand iterations")
    func iterations() {
        var scalar = [9] + [UInt8](repeating: 0, count: 31)
        var point = scalar
        for iteration in 1...1000 {
            guard let product = scalar.privateKey.sharedSecret(with: point.publicKey)?.array else {
                Issue.record("iteration \(iteration) gave no secret")
                return
            }
            point = scalar
            scalar = product
            if iteration == 1 {
                #expect(scalar == hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"))
            }
        }
        #expect(scalar == hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))
    }

    @Test("§6.1: both sides of Diffie-Hellman")
    func diffieHellman() {
        let alice = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").privateKey
        let bob = hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb").privateKey
        #expect(
            alice.publicKey.array == hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(bob.publicKey.array == hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let shared = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(alice.sharedSecret(with: bob.publicKey)?.array == shared)
        #expect(bob.sharedSecret(with: alice.publicKey)?.array == shared)
    }

    @Test(
        "P-2.3, S-9: the seven points of low order (N-37) give no secret",
        arguments: [
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
            "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
            "7P///////////////////////////////////////38=",
            "7f///////////////////////////////////////38=",
            "7v///////////////////////////////////////38=",
        ])
    func lowOrder(point: String) throws {
        let publicKey = try #require(PublicKey(base64: point))
        let privateKey = PrivateKey.generate(from: .predictableForTests(seed: 37))
        let refused = privateKey.sharedSecret(with: publicKey) == nil
        #expect(refused)
    }
}
