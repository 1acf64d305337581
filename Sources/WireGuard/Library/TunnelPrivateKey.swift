import Crypto

extension Tunnel {
    /// A Curve25519 private key: who a tunnel is.
    ///
    /// Its bytes are in memory that is wiped when the key's life ends. It cannot be copied by accident, printed or
    /// compared; ``withBase64(_:)`` alone lets it out.
    public struct PrivateKey: ~Copyable, Sendable {
        /// Bytes in a key: 32.
        public static let byteCount = Secret.byteCount

        let key: Crypto.PrivateKey

        private init(_ key: consuming Crypto.PrivateKey) { self.key = key }

        /// A new key from the system's randomness.
        public static func generate() -> PrivateKey { PrivateKey(Crypto.PrivateKey.generate()) }

        /// The key in 44 canonical base64 characters, as `wg genkey` prints it; nil for anything else.
        ///
        /// `text` itself cannot be wiped: prefer ``init(base64Bytes:)`` for a key out of a file.
        public init?(base64 text: some StringProtocol) {
            guard let key = Crypto.PrivateKey(.base64, text) else { return nil }
            self.init(key)
        }

        /// The key in 44 ASCII bytes of base64, without a newline; nil for anything else. The caller wipes them.
        public init?(base64Bytes text: Span<UInt8>) {
            guard let secret = Secret(base64Bytes: text) else { return nil }
            self.init(Crypto.PrivateKey(clamping: secret))
        }

        /// The key in 32 bytes, which are clamped (RFC 7748 §5); nil for another number of bytes. The caller wipes them.
        public init?(_ bytes: Span<UInt8>) {
            guard let secret = Secret(bytes) else { return nil }
            self.init(Crypto.PrivateKey(clamping: secret))
        }

        /// The public key that belongs to it.
        public var publicKey: PublicKey { PublicKey(key.publicKey) }

        /// Lends the key's 32 bytes, valid until `body` returns.
        public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
            unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(start: key.bytes, count: Self.byteCount)))
        }

        /// Lends the key in 44 ASCII bytes of base64, wiped when `body` returns: for the file that keeps it.
        public func withBase64<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
            key.withText(.base64) { body(unsafe Span(_unsafeBytes: $0)) }
        }
    }
}

extension Secret {
    /// nil unless there are 32 bytes.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Secret.byteCount else { return nil }
        self = unsafe bytes.withUnsafeBytes { unsafe Secret(copying: $0.baseAddress.unsafelyUnwrapped) }
    }

    /// nil unless the bytes are the ASCII of one key in base64.
    init?(base64Bytes text: Span<UInt8>) {
        guard let secret = unsafe text.withUnsafeBytes({ unsafe Secret(.base64, $0) }) else { return nil }
        self = secret
    }
}
