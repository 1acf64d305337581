import Testing

@testable import Crypto

/// The bytes that hexadecimal digits stand for; blanks are skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// Arrays in and out, so that the tables of the tests read like those of the RFCs.
extension Array<UInt8> {
    @safe func lend<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe withUnsafeBytes { unsafe body($0) }
    }

    /// An array of `count` bytes that `body` writes.
    @safe init(count: Int, _ body: (UnsafeMutableRawPointer) -> Void) {
        self.init(repeating: 0xee, count: Swift.max(count, 1))
        unsafe withUnsafeMutableBytes { unsafe body($0.start) }
        removeLast(self.count - count)
    }

    var secret: Secret {
        precondition(count == Secret.byteCount)
        var secret = Secret()
        lend { unsafe secret.mutableBytes.copyMemory(from: $0.octets, byteCount: Secret.byteCount) }
        return secret
    }

    var publicKey: PublicKey { lend { unsafe PublicKey(at: UnsafeRawPointer($0.octets)) } }

    var privateKey: PrivateKey { PrivateKey(clamping: secret) }

    /// The first 12 of the 16 bytes of what ciphers take as a nonce.
    var nonce: SIMD4<UInt32> {
        precondition(count == 12)
        return (self + [0, 0, 0, 0]).lend { unsafe $0.loadUnaligned(as: SIMD4<UInt32>.self) }
    }
}

extension PublicKey {
    var array: [UInt8] { [UInt8](count: PublicKey.byteCount) { unsafe store(to: $0) } }
}

extension Secret {
    var array: [UInt8] {
        withBytes { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: Secret.byteCount)) }
    }
}

func blake2s(_ message: [UInt8], key: [UInt8] = [], outputSize: Int = 32) -> [UInt8] {
    [UInt8](count: outputSize) { output in
        key.lend { key in
            var state = unsafe BLAKE2s(key: key, outputSize: outputSize)
            message.lend { unsafe state.update($0) }
            unsafe state.finish(into: output)
        }
    }
}

extension ChaCha20Poly1305 {
    static func seal(key: [UInt8], nonce: [UInt8], _ plaintext: [UInt8], additionalData: [UInt8]) -> [UInt8] {
        [UInt8](count: plaintext.count + AEAD.tagSize) { output in
            key.lend { key in
                plaintext.lend { plaintext in
                    additionalData.lend { additionalData in
                        unsafe seal(
                            key: UnsafeRawPointer(key.octets), nonce: nonce.nonce, plaintext,
                            additionalData: additionalData, into: output)
                    }
                }
            }
        }
    }

    static func open(key: [UInt8], nonce: [UInt8], _ ciphertext: [UInt8], additionalData: [UInt8]) -> [UInt8]? {
        var accepted = false
        let plaintext = [UInt8](count: max(0, ciphertext.count - AEAD.tagSize)) { output in
            key.lend { key in
                ciphertext.lend { ciphertext in
                    additionalData.lend { additionalData in
                        accepted = unsafe open(
                            key: UnsafeRawPointer(key.octets), nonce: nonce.nonce, ciphertext,
                            additionalData: additionalData, into: output)
                    }
                }
            }
        }
        return accepted ? plaintext : nil
    }
}

extension XChaCha20Poly1305 {
    static func seal(key: [UInt8], nonce: [UInt8], _ plaintext: [UInt8], additionalData: [UInt8]) -> [UInt8] {
        [UInt8](count: plaintext.count + AEAD.tagSize) { output in
            key.lend { key in
                nonce.lend { nonce in
                    plaintext.lend { plaintext in
                        additionalData.lend { additionalData in
                            unsafe seal(
                                key: UnsafeRawPointer(key.octets), nonce: UnsafeRawPointer(nonce.octets), plaintext,
                                additionalData: additionalData, into: output)
                        }
                    }
                }
            }
        }
    }

    static func open(key: [UInt8], nonce: [UInt8], _ ciphertext: [UInt8], additionalData: [UInt8]) -> [UInt8]? {
        var accepted = false
        let plaintext = [UInt8](count: max(0, ciphertext.count - AEAD.tagSize)) { output in
            key.lend { key in
                nonce.lend { nonce in
                    ciphertext.lend { ciphertext in
                        additionalData.lend { additionalData in
                            accepted = unsafe open(
                                key: UnsafeRawPointer(key.octets), nonce: UnsafeRawPointer(nonce.octets), ciphertext,
                                additionalData: additionalData, into: output)
                        }
                    }
                }
            }
        }
        return accepted ? plaintext : nil
    }
}
