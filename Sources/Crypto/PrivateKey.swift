import CSodium

/// A Curve25519 private key, clamped (RFC 7748 §5), with the public key it belongs to.
package struct PrivateKey: ~Copyable, Sendable {
    private let secret: Secret
    package let publicKey: PublicKey

    /// Takes any 32 bytes and clamps them, as `wg` does with what it is given.
    package init(clamping secret: consuming Secret) {
        Sodium.start()
        unsafe PrivateKey.clamp(secret.mutableBytes)
        publicKey = unsafe withUnsafeTemporaryAllocation(byteCount: PublicKey.byteCount, alignment: 8) { point in
            _ = unsafe crypto_scalarmult_curve25519_base(point.start.octets, secret.bytes.octets)
            return unsafe PublicKey(at: point.start)
        }
        self.secret = secret
    }

    package static func generate(from entropy: Entropy = .system) -> PrivateKey {
        PrivateKey(clamping: Secret(from: entropy))
    }

    /// nil when `text` is not exactly one key; prefer `Secret`'s form that takes bytes, which can be wiped.
    package init?(_ form: KeyText, _ text: some StringProtocol) {
        guard let secret = Secret(form, text) else { return nil }
        self.init(clamping: secret)
    }

    /// X25519 (RFC 7748 §6.1): nil when the result is all zeros, because `publicKey` is a point of low order (P-2.3).
    package func sharedSecret(with publicKey: PublicKey) -> Secret? {
        var shared = Secret()
        let status = publicKey.withBytes { point in
            unsafe crypto_scalarmult_curve25519(shared.mutableBytes.octets, secret.bytes.octets, point.octets)
        }
        // libsodium refuses those points itself; what the handshake rests on is looked at here all the same.
        guard status == 0, !shared.isZero else { return nil }
        return shared
    }

    /// The 32 bytes, clamped, valid while this key lives.
    package var bytes: UnsafeRawPointer { unsafe secret.bytes }

    package func copy() -> PrivateKey { PrivateKey(secret: secret.copy(), publicKey: publicKey) }

    private init(secret: consuming Secret, publicKey: PublicKey) {
        self.secret = secret
        self.publicKey = publicKey
    }

    /// Constant time.
    package func equals(_ other: borrowing PrivateKey) -> Bool { secret.equals(other.secret) }

    /// Lends the key written out as ASCII, for `genkey` and the UAPI; the text is wiped when `body` returns.
    @safe package func withText<Result>(_ form: KeyText, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        secret.withText(form, body)
    }

    private static func clamp(_ scalar: UnsafeMutableRawPointer) {
        let bytes = unsafe scalar.octets
        unsafe bytes[0] &= 248
        unsafe bytes[31] = bytes[31] & 127 | 64
    }
}
