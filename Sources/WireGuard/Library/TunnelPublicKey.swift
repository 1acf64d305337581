import Crypto

extension Tunnel {
    /// A Curve25519 public key: 32 bytes that name a peer.
    ///
    /// Every value is taken. One that nobody can have the private key of (a point of low order, such as all zeros) makes
    /// a peer to which not a byte is ever sent.
    public struct PublicKey: Hashable, Sendable {
        /// Bytes in a key: 32.
        public static let byteCount = Crypto.PublicKey.byteCount

        let key: Crypto.PublicKey

        init(_ key: Crypto.PublicKey) { self.key = key }

        /// The key in 44 canonical base64 characters, as `wg` prints it; nil for anything else.
        public init?(base64 text: some StringProtocol) {
            guard let key = Crypto.PublicKey(base64: text) else { return nil }
            self.key = key
        }

        /// The key in 32 bytes as they stand on the wire; nil for another number of bytes.
        public init?(_ bytes: Span<UInt8>) {
            guard bytes.count == Self.byteCount else { return nil }
            key = unsafe bytes.withUnsafeBytes { unsafe Crypto.PublicKey(at: $0.baseAddress.unsafelyUnwrapped) }
        }

        /// The key in 44 base64 characters.
        public var base64: String { key.base64 }

        /// The key's 32 bytes as they stand on the wire.
        public var bytes: [UInt8] {
            key.withBytes { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: Self.byteCount)) }
        }
    }
}

extension Tunnel.PublicKey: LosslessStringConvertible {
    /// Reads what ``description`` gives.
    public init?(_ description: String) { self.init(base64: description) }

    /// The key in 44 base64 characters.
    public var description: String { base64 }
}
