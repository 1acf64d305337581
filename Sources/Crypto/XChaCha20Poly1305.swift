import CSodium

/// XChaCha20-Poly1305 with additional data: what a cookie reply is sealed with, under a random nonce (P-3.6).
package enum XChaCha20Poly1305 {
    package static let nonceSize = 24

    /// Writes `plaintext.count + 16` bytes; `nonce` has 24, `key` 32.
    package static func seal(
        key: UnsafeRawPointer, nonce: UnsafeRawPointer, _ plaintext: UnsafeRawBufferPointer,
        additionalData: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer
    ) {
        Sodium.start()
        _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
            destination.octets, nil, plaintext.octets, UInt64(plaintext.count), additionalData.octets,
            UInt64(additionalData.count), nil, nonce.octets, key.octets)
    }

    /// Writes `ciphertext.count - 16` bytes; false for a forgery or a ciphertext too short to hold a tag.
    package static func open(
        key: UnsafeRawPointer, nonce: UnsafeRawPointer, _ ciphertext: UnsafeRawBufferPointer,
        additionalData: UnsafeRawBufferPointer, into destination: UnsafeMutableRawPointer
    ) -> Bool {
        guard ciphertext.count >= AEAD.tagSize else { return false }
        Sodium.start()
        return unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
            destination.octets, nil, nil, ciphertext.octets, UInt64(ciphertext.count), additionalData.octets,
            UInt64(additionalData.count), nonce.octets, key.octets) == 0
    }
}
