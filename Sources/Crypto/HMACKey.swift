import CSodium

/// A key of HMAC over BLAKE2s-256 for several messages: the two blocks that it is padded to are compressed once.
///
/// As secret as the key; `wipe` ends it.
struct HMACKey: ~Copyable {
    /// What the block of key and inner pad, and that of key and outer pad, leave behind.
    private var inner, outer: SIMD8<UInt32>

    /// The bytes of the inner and the outer pad (RFC 2104 §2), four times.
    private static let innerPad: UInt32 = 0x3636_3636
    private static let outerPad: UInt32 = 0x5c5c_5c5c

    init(_ secret: borrowing Secret) {
        inner = HMACKey.chain(secret, HMACKey.innerPad)
        outer = HMACKey.chain(secret, HMACKey.outerPad)
    }

    private static func chain(_ secret: borrowing Secret, _ pad: UInt32) -> SIMD8<UInt32> {
        let pad = SIMD8(repeating: pad)
        var block = (unsafe secret.bytes.loadUnaligned(as: SIMD8<UInt32>.self) ^ pad, pad)
        return unsafe withUnsafeMutableBytes(of: &block) { block in
            defer { unsafe sodium_memzero(block.start, block.count) }
            return unsafe BLAKE2s.chain(afterFirst: UnsafeRawPointer(block.start), outputSize: BLAKE2s.digestSize)
        }
    }

    /// Writes 32 bytes: the HMAC of the parts, of which one is not empty. `output` may be a part's memory.
    func authenticate(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer? = nil,
        into output: UnsafeMutableRawPointer
    ) {
        var digest = SIMD8<UInt32>()
        unsafe withUnsafeMutableBytes(of: &digest) { digest in
            var state = BLAKE2s(after: inner, outputSize: BLAKE2s.digestSize)
            unsafe state.update(first)
            if let second = unsafe second { unsafe state.update(second) }
            unsafe state.finish(into: digest.start)
            state = BLAKE2s(after: outer, outputSize: BLAKE2s.digestSize)
            unsafe state.update(UnsafeRawBufferPointer(digest))
            unsafe state.finish(into: output)
            unsafe sodium_memzero(digest.start, digest.count)
        }
    }

    mutating func wipe() {
        unsafe withUnsafeMutableBytes(of: &inner) { unsafe sodium_memzero($0.start, $0.count) }
        unsafe withUnsafeMutableBytes(of: &outer) { unsafe sodium_memzero($0.start, $0.count) }
    }
}
