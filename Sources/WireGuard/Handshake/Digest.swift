import Crypto

/// A BLAKE2s-256 hash, held inline: the handshake hash, and the keys of MACs, which are hashes of public keys.
struct Digest: Sendable {
    private var words = SIMD4<UInt64>()

    /// The hash of a name of the protocol.
    init(name: String) { unsafe self.init(label: name, UnsafeRawBufferPointer(start: nil, count: 0)) }

    /// The hash of a label of the protocol and the bytes behind it.
    init(label: String, _ bytes: UnsafeRawBufferPointer) {
        var label = label
        label.withUTF8 { text in
            unsafe withMutableBytes { unsafe BLAKE2s.hash(UnsafeRawBufferPointer(text), bytes, into: $0) }
        }
    }

    /// The hash of a label of the protocol and a public key.
    init(label: String, _ publicKey: PublicKey) {
        self = publicKey.withBytes { bytes in
            unsafe Digest(label: label, UnsafeRawBufferPointer(start: bytes, count: PublicKey.byteCount))
        }
    }

    /// This hash and the bytes behind it, hashed: how the handshake hash takes something in.
    mutating func mix(_ bytes: UnsafeRawBufferPointer) {
        let before = words
        unsafe withUnsafeBytes(of: before) { before in
            unsafe withMutableBytes { unsafe BLAKE2s.hash(before, bytes, into: $0) }
        }
    }

    mutating func mix(_ name: String) {
        var name = name
        name.withUTF8 { unsafe mix(UnsafeRawBufferPointer($0)) }
    }

    /// The same bytes, to go on with in a handshake.
    var secret: Secret {
        unsafe withBytes { unsafe Secret(copying: $0.baseAddress.unsafelyUnwrapped) }
    }

    func withBytes<Result: ~Copyable>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe withUnsafeBytes(of: words) { unsafe body($0) }
    }

    private mutating func withMutableBytes(_ body: (UnsafeMutableRawPointer) -> Void) {
        unsafe withUnsafeMutableBytes(of: &words) { unsafe body($0.baseAddress.unsafelyUnwrapped) }
    }
}
