import Crypto

extension Tunnel {
    /// The symmetric key that two peers may share beside their key pairs, against those who record today and have a
    /// quantum computer later.
    ///
    /// Kept as a ``PrivateKey`` is: wiped, never copied by accident, never printed. 32 zero bytes are the same as none.
    public struct PresharedKey: ~Copyable, Sendable {
        /// Bytes in a key: 32.
        public static let byteCount = Secret.byteCount

        let key: Crypto.PresharedKey

        private init(_ key: consuming Crypto.PresharedKey) { self.key = key }

        /// No key: where two peers have none.
        public static var absent: PresharedKey { PresharedKey(Crypto.PresharedKey()) }

        /// A new key from the system's randomness.
        public static func generate() -> PresharedKey { PresharedKey(Crypto.PresharedKey.generate()) }

        /// The key in 44 canonical base64 characters, as `wg genpsk` prints it; nil for anything else.
        ///
        /// `text` itself cannot be wiped: prefer ``init(base64Bytes:)`` for a key out of a file.
        public init?(base64 text: some StringProtocol) {
            guard let key = Crypto.PresharedKey(.base64, text) else { return nil }
            self.init(key)
        }

        /// The key in 44 ASCII bytes of base64, without a newline; nil for anything else. The caller wipes them.
        public init?(base64Bytes text: Span<UInt8>) {
            guard let secret = Secret(base64Bytes: text) else { return nil }
            self.init(Crypto.PresharedKey(secret))
        }

        /// The key in 32 bytes; nil for another number of bytes. The caller wipes them.
        public init?(_ bytes: Span<UInt8>) {
            guard let secret = Secret(bytes) else { return nil }
            self.init(Crypto.PresharedKey(secret))
        }

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
