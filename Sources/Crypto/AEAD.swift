/// The transport cipher: ChaCha20-Poly1305 (RFC 8439) without additional data, behind a choice made once at start.
///
/// Both operations work out of place and leave `source` as it is. So that vectorised code needs no special case at the
/// ends, they may touch memory around the bytes they are about:
///
///     source        headroom, read | count (open: + tag)  | slack, read
///     destination   headroom, kept | count (seal: + tag)  | slack, clobbered
///     key                          | 32                   | key slack, read
///
/// The two ranges, headroom and slack included, must not overlap.
@safe package struct AEAD: Sendable {
    /// Bytes that sealing adds behind the ciphertext.
    package static let tagSize = 16
    /// Bytes in front of `source` that must be readable (any contents), and in front of `destination` that must be
    /// writable; the latter are as before when the call returns.
    package static let headroom = 64
    /// Bytes behind the source (its tag included) that must be readable, and behind the destination's `count` and tag
    /// that are clobbered.
    package static let slack = 512
    /// Bytes behind the key that must be readable, as they are behind a `Secret`: one vector register.
    package static let keySlack = 64

    /// key, counter, destination, source, count. The nonce is four zero bytes and the counter in little-endian order.
    package typealias Seal =
        @Sendable (UnsafeRawPointer, UInt64, UnsafeMutableRawPointer, UnsafeRawPointer, Int) -> Void
    /// key, counter, destination, source, count.
    package typealias Open =
        @Sendable (UnsafeRawPointer, UInt64, UnsafeMutableRawPointer, UnsafeRawPointer, Int) -> Bool

    /// What `show` and the logs call it.
    package let name: String
    /// Writes `count` bytes of ciphertext and the tag at the destination; 0 seals a keepalive.
    package let seal: Seal
    /// `count` is the ciphertext's without the tag that follows it. False for a forgery: the destination's bytes then
    /// mean nothing and must not be used.
    package let open: Open

    package init(name: String, seal: @escaping Seal, open: @escaping Open) {
        self.name = name
        unsafe self.seal = seal
        unsafe self.open = open
    }
}
