import CSodium

/// ChaCha20-Poly1305 with additional data (RFC 8439 §2.8): what the handshake seals its fields with.
///
/// Ciphertext is the plaintext's length and `AEAD.tagSize` more. The nonce is four zero bytes and the counter in
/// little-endian order. Plaintext and destination may be the same memory.
package enum ChaCha20Poly1305 {
    package static func seal(
        key: UnsafeRawPointer, counter: UInt64, _ plaintext: UnsafeRawBufferPointer,
        additionalData: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer
    ) {
        unsafe seal(key: key, nonce: nonce(counter), plaintext, additionalData: additionalData, into: destination)
    }

    /// Writes `ciphertext.count - 16` bytes; false for a forgery or a ciphertext too short to hold a tag.
    package static func open(
        key: UnsafeRawPointer, counter: UInt64, _ ciphertext: UnsafeRawBufferPointer,
        additionalData: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer
    ) -> Bool {
        unsafe open(key: key, nonce: nonce(counter), ciphertext, additionalData: additionalData, into: destination)
    }

    static func seal(
        key: UnsafeRawPointer, nonce: SIMD4<UInt32>, _ plaintext: UnsafeRawBufferPointer,
        additionalData: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer
    ) {
        Sodium.start()
        unsafe withUnsafeBytes(of: nonce) { nonce in
            _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
                destination.octets, nil, plaintext.octets, UInt64(plaintext.count), additionalData.octets,
                UInt64(additionalData.count), nil, nonce.octets, key.octets)
        }
    }

    static func open(
        key: UnsafeRawPointer, nonce: SIMD4<UInt32>, _ ciphertext: UnsafeRawBufferPointer,
        additionalData: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer
    ) -> Bool {
        guard ciphertext.count >= AEAD.tagSize else { return false }
        Sodium.start()
        return unsafe withUnsafeBytes(of: nonce) { nonce in
            unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                destination.octets, nil, nil, ciphertext.octets, UInt64(ciphertext.count), additionalData.octets,
                UInt64(additionalData.count), nonce.octets, key.octets) == 0
        }
    }

    /// Of these 16 bytes the first 12 are the nonce.
    static func nonce(_ counter: UInt64) -> SIMD4<UInt32> {
        SIMD4(
            0, UInt32(truncatingIfNeeded: counter).littleEndian, UInt32(truncatingIfNeeded: counter >> 32).littleEndian,
            0)
    }
}
