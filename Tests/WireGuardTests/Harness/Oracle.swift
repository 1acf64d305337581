import Crypto

/// The handshake's functions over plain arrays (§5.4 of the paper), slow and obvious. Only the primitives are shared
/// with the module under test.
enum Oracle {
    typealias Bytes = [UInt8]

    static let construction = Bytes("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s".utf8)
    static let identifier = Bytes("WireGuard v1 zx2c4 Jason@zx2c4.com".utf8)

    static func hash(_ bytes: Bytes) -> Bytes {
        unsafe fill(32) { output in unsafe bytes.withUnsafeBytes { unsafe BLAKE2s.hash($0, into: output) } }
    }

    static func mac(_ key: Bytes, _ bytes: Bytes) -> Bytes {
        unsafe fill(16) { output in
            unsafe key.withUnsafeBytes { key in
                unsafe bytes.withUnsafeBytes { unsafe BLAKE2s.mac(key: key, $0, into: output) }
            }
        }
    }

    static func hmac(_ key: Bytes, _ bytes: Bytes) -> Bytes {
        let padded = key + Bytes(repeating: 0, count: 64 - key.count)
        return hash(padded.map { $0 ^ 0x5c } + hash(padded.map { $0 ^ 0x36 } + bytes))
    }

    /// τ1, τ2, τ3: as many as are asked for.
    static func kdf(_ key: Bytes, _ input: Bytes, _ count: Int) -> [Bytes] {
        let secret = hmac(key, input)
        var outputs: [Bytes] = []
        for number in 1...count { outputs.append(hmac(secret, (outputs.last ?? []) + [UInt8(number)])) }
        return outputs
    }

    static func publicKey(_ privateKey: Bytes) -> Bytes {
        let key = Pair.privateKey(privateKey).publicKey
        return unsafe fill(32) { unsafe key.store(to: $0) }
    }

    /// X25519; zeros where the point is of low order, because Eve does not mind.
    static func dh(_ privateKey: Bytes, _ publicKey: Bytes) -> Bytes {
        let point = unsafe publicKey.withUnsafeBytes { unsafe PublicKey(at: $0.baseAddress.unsafelyUnwrapped) }
        guard let shared = Pair.privateKey(privateKey).sharedSecret(with: point) else {
            return Bytes(repeating: 0, count: 32)
        }
        return unsafe fill(32) { unsafe $0.copyMemory(from: shared.bytes, byteCount: 32) }
    }

    static func seal(_ key: Bytes, _ counter: UInt64, _ plaintext: Bytes, _ additionalData: Bytes = []) -> Bytes {
        unsafe fill(plaintext.count + 16) { output in
            unsafe key.withUnsafeBytes { key in
                unsafe plaintext.withUnsafeBytes { plaintext in
                    unsafe additionalData.withUnsafeBytes { data in
                        unsafe ChaCha20Poly1305.seal(
                            key: key.baseAddress.unsafelyUnwrapped, counter: counter, plaintext, additionalData: data,
                            into: output)
                    }
                }
            }
        }
    }

    static func open(_ key: Bytes, _ counter: UInt64, _ sealed: Bytes, _ additionalData: Bytes = []) -> Bytes? {
        var authentic = false
        let plaintext = unsafe fill(max(1, sealed.count - 16)) { output in
            unsafe key.withUnsafeBytes { key in
                unsafe sealed.withUnsafeBytes { sealed in
                    unsafe additionalData.withUnsafeBytes { data in
                        authentic = unsafe ChaCha20Poly1305.open(
                            key: key.baseAddress.unsafelyUnwrapped, counter: counter, sealed, additionalData: data,
                            into: output)
                    }
                }
            }
        }
        return authentic ? Bytes(plaintext.prefix(sealed.count - 16)) : nil
    }

    static func sealCookie(_ key: Bytes, nonce: Bytes, _ cookie: Bytes, mac1: Bytes) -> Bytes {
        unsafe fill(32) { output in
            unsafe key.withUnsafeBytes { key in
                unsafe nonce.withUnsafeBytes { nonce in
                    unsafe cookie.withUnsafeBytes { cookie in
                        unsafe mac1.withUnsafeBytes { mac1 in
                            unsafe XChaCha20Poly1305.seal(
                                key: key.baseAddress.unsafelyUnwrapped, nonce: nonce.baseAddress.unsafelyUnwrapped,
                                cookie, additionalData: mac1, into: output)
                        }
                    }
                }
            }
        }
    }

    static func little(_ value: UInt32) -> Bytes { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    static func little(_ value: UInt64) -> Bytes { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    static func big(_ value: UInt64) -> Bytes { little(value).reversed() }
    static func big(_ value: UInt32) -> Bytes { little(value).reversed() }

    private static func fill(_ count: Int, _ body: (UnsafeMutableRawPointer) -> Void) -> Bytes {
        unsafe Bytes(unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe body(UnsafeMutableRawPointer(buffer.baseAddress.unsafelyUnwrapped))
            filled = count
        }
    }
}
