import CSodium
import Testing

@testable import Crypto

/// The examples of RFC 8439 (ChaCha20 and Poly1305 for IETF protocols).
@Suite struct RFC8439Tests {
    /// The text of a sealed message is enciphered from block 1 on, as in the examples of §2.3.2 and §2.4.2.
    private func sealed(_ cipher: TransportCipher, _ key: [UInt8], _ nonce: [UInt8], _ plaintext: [UInt8]) -> [UInt8] {
        var plain = CipherRoom(room: plaintext.count)
        var sealed = plain
        plain.put(plaintext)
        cipher.seal(key, nonce, plain, plaintext.count, into: &sealed)
        return sealed.get(plaintext.count)
    }

    private let countingKey = [UInt8](0..<32)

    @Test("§2.3.2: the first block of the key stream over zeros", arguments: TransportCipher.here)
    func keyStream(of cipher: TransportCipher) {
        let block = sealed(
            cipher, countingKey, hex("000000090000004a00000000"), [UInt8](repeating: 0, count: 64))
        #expect(
            block
                == hex(
                    """
                    10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e
                    d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e
                    """))
    }

    @Test("§2.4.2: the sunscreen text under ChaCha20", arguments: TransportCipher.here)
    func sunscreenText(of cipher: TransportCipher) {
        let ciphertext = sealed(cipher, countingKey, hex("000000000000004a00000000"), sunscreen)
        #expect(
            ciphertext
                == hex(
                    """
                    6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b
                    f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8
                    07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736
                    5af90bbf74a35be6b40b8eedf2785e42874d
                    """))
    }

    @Test("§2.5.2: the Poly1305 that the transport cipher is composed from")
    func poly1305() {
        let key = hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        let message = Array("Cryptographic Forum Research Group".utf8)
        let tag = [UInt8](count: 16) { tag in
            key.lend { key in
                message.lend { message in
                    _ = unsafe crypto_onetimeauth_poly1305(
                        tag.octets, message.octets, UInt64(message.count), key.octets)
                }
            }
        }
        #expect(tag == hex("a8061dc1305136c6c22b8baf0c0127a9"))
    }

    @Test("§2.8.2: the sunscreen text sealed with additional data, and opened")
    func aead() {
        let key = [UInt8](0x80...0x9f)
        let nonce = hex("070000004041424344454647")
        let additionalData = hex("50515253c0c1c2c3c4c5c6c7")
        let expected = hex(
            """
            d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b
            1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc
            3ff4def08e4b7a9de576d26586cec64b6116 1ae10b594f09e26a7e902ecbd0600691
            """)
        #expect(
            ChaCha20Poly1305.seal(key: key, nonce: nonce, sunscreen, additionalData: additionalData) == expected)
        #expect(
            ChaCha20Poly1305.open(key: key, nonce: nonce, expected, additionalData: additionalData) == sunscreen)
        #expect(ChaCha20Poly1305.open(key: key, nonce: nonce, expected, additionalData: []) == nil)
    }

    @Test("§A.5: decryption, through the nonce made of a counter")
    func decryption() {
        let key = hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0")
        let additionalData = hex("f33388860000000000004e91")
        let sealed = hex(
            """
            64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0
            bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855
            9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e9
            9040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a
            0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130
            305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709b eead9d67890cbb22392336fea1851f38
            """)
        var opened = false
        let plaintext = [UInt8](count: sealed.count - AEAD.tagSize) { output in
            key.lend { key in
                sealed.lend { sealed in
                    additionalData.lend { additionalData in
                        opened = unsafe ChaCha20Poly1305.open(
                            key: UnsafeRawPointer(key.octets), counter: 0x0807_0605_0403_0201, sealed,
                            additionalData: additionalData, into: output)
                    }
                }
            }
        }
        #expect(opened)
        #expect(
            String(decoding: plaintext, as: UTF8.self) == """
                Internet-Drafts are draft documents valid for a maximum of six months and may be updated, \
                replaced, or obsoleted by other documents at any time. It is inappropriate to use \
                Internet-Drafts as reference material or to cite them other than as /“work in progress./”
                """)
    }

    private let sunscreen = Array(
        """
        Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
        sunscreen would be it.
        """.utf8)
}
