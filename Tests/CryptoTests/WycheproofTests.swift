import Foundation
import Testing

@testable import Crypto

/// Every case of Wycheproof's vectors for the three primitives that the protocol uses (S-29).
@Suite struct WycheproofTests {
    @Test("ChaCha20-Poly1305: valid cases seal and open, invalid ones don't open")
    func chaCha20Poly1305() throws {
        let cases = try WycheproofTests.load("chacha20_poly1305_test", AEADCase.self)
        #expect(cases.count == 325)
        for vector in cases {
            let (key, iv, aad) = (hex(vector.key), hex(vector.iv), hex(vector.aad))
            let sealed = hex(vector.ct) + hex(vector.tag)
            // A nonce of another size cannot be written in our types, which is how those cases are refused.
            guard iv.count == 12 else {
                #expect(vector.result == "invalid", "\(vector.tcId)")
                continue
            }
            let opened = ChaCha20Poly1305.open(key: key, nonce: iv, sealed, additionalData: aad)
            if vector.result == "valid" {
                let ours = ChaCha20Poly1305.seal(key: key, nonce: iv, hex(vector.msg), additionalData: aad)
                #expect(ours == sealed, "\(vector.tcId) \(vector.comment)")
                #expect(opened == hex(vector.msg), "\(vector.tcId) \(vector.comment)")
            } else {
                #expect(opened == nil, "\(vector.tcId) \(vector.comment)")
            }
        }
    }

    @Test(
        "ChaCha20-Poly1305: the cases without additional data, through each transport cipher",
        arguments: TransportCipher.here)
    func transportCipher(_ cipher: TransportCipher) throws {
        let cases = try WycheproofTests.load("chacha20_poly1305_test", AEADCase.self).filter {
            $0.aad.isEmpty && $0.iv.count == 24
        }
        #expect(cases.count == 45)
        for vector in cases {
            let (key, nonce, message) = (hex(vector.key), hex(vector.iv), hex(vector.msg))
            let sealed = hex(vector.ct) + hex(vector.tag)
            let count = message.count
            var source = CipherRoom(room: count)
            var destination = source
            if vector.result == "valid" {
                source.put(message)
                cipher.seal(key, nonce, source, count, into: &destination)
                #expect(destination.get(sealed.count) == sealed, "\(vector.tcId) \(vector.comment)")
            }
            source.put(sealed)
            let opened = cipher.open(key, nonce, source, count, into: &destination)
            #expect(opened == (vector.result == "valid"), "\(vector.tcId) \(vector.comment)")
            if opened { #expect(destination.get(count) == message, "\(vector.tcId)") }
        }
    }

    @Test("P-3.6: XChaCha20-Poly1305, the cipher of cookie replies")
    func xChaCha20Poly1305() throws {
        let cases = try WycheproofTests.load("xchacha20_poly1305_test", AEADCase.self)
        #expect(cases.count == 315)
        for vector in cases {
            let (key, iv, aad) = (hex(vector.key), hex(vector.iv), hex(vector.aad))
            let sealed = hex(vector.ct) + hex(vector.tag)
            guard iv.count == XChaCha20Poly1305.nonceSize else {
                #expect(vector.result == "invalid", "\(vector.tcId)")
                continue
            }
            let opened = XChaCha20Poly1305.open(key: key, nonce: iv, sealed, additionalData: aad)
            if vector.result == "valid" {
                let ours = XChaCha20Poly1305.seal(key: key, nonce: iv, hex(vector.msg), additionalData: aad)
                #expect(ours == sealed, "\(vector.tcId) \(vector.comment)")
                #expect(opened == hex(vector.msg), "\(vector.tcId) \(vector.comment)")
            } else {
                #expect(opened == nil, "\(vector.tcId) \(vector.comment)")
            }
        }
    }

    @Test("P-2.3: X25519, where a shared secret of zeros is refused and every other one is right")
    func x25519() throws {
        let cases = try WycheproofTests.load("x25519_test", X25519Case.self)
        #expect(cases.count == 518)
        var refused = 0
        for vector in cases {
            let shared = hex(vector.private).privateKey.sharedSecret(with: hex(vector.public).publicKey)?.array
            if vector.flags.contains("ZeroSharedSecret") {
                refused += 1
                #expect(shared == nil, "\(vector.tcId) \(vector.comment)")
            } else {
                #expect(shared == hex(vector.shared), "\(vector.tcId) \(vector.comment)")
            }
        }
        #expect(refused == 31)
    }

    private struct File<Case: Decodable>: Decodable {
        struct Group: Decodable { let tests: [Case] }
        let testGroups: [Group]
    }

    private struct AEADCase: Decodable {
        let tcId: Int
        let comment, key, iv, aad, msg, ct, tag, result: String
    }

    private struct X25519Case: Decodable {
        let tcId: Int
        let flags: [String]
        let comment, `public`, `private`, shared, result: String
    }

    private static func load<Case: Decodable>(_ name: String, _ type: Case.Type) throws -> [Case] {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
        return try JSONDecoder().decode(File<Case>.self, from: Data(contentsOf: url)).testGroups.flatMap(\.tests)
    }
}
