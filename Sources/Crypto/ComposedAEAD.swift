import CSodium

extension AEAD {
    /// libsodium's ChaCha20 and Poly1305, composed here; works everywhere.
    package static let libsodium: AEAD = {
        Sodium.start()
        return unsafe AEAD(
            name: "libsodium",
            seal: { key, counter, destination, source, count in
                unsafe ComposedAEAD.seal(key, ChaCha20Poly1305.nonce(counter), destination, source, count)
            },
            open: { key, counter, destination, source, count in
                unsafe ComposedAEAD.open(key, ChaCha20Poly1305.nonce(counter), destination, source, count)
            })
    }()
}

/// ChaCha20-Poly1305 from libsodium's two primitives, 1.45 times as fast as its own AEAD call at 1420 bytes.
///
/// Two things make the difference: one run of the stream cipher gives both the Poly1305 key (its first block, which
/// falls on the headroom) and the text, and the run's length is rounded up to what the vectorised code does at once,
/// because libsodium is slow over what is left behind the last full group of blocks.
///
/// The nonce is the first 12 bytes of what is given.
enum ComposedAEAD {
    /// Bytes of key stream that give the Poly1305 key (RFC 8439 §2.6): one block, of which half is used.
    private static let blockSize = 64
    /// The vectorised code's group of 8 blocks, and the group of 4 that it has for short runs.
    private static let group = 512
    private static let shortGroup = 256

    static func seal(
        _ key: UnsafeRawPointer, _ nonce: SIMD4<UInt32>, _ destination: UnsafeMutableRawPointer,
        _ source: UnsafeRawPointer, _ count: Int
    ) {
        var poly = unsafe stream(key, nonce, destination, source, count)
        // The slack takes what the MAC is over besides the ciphertext, so that it is one contiguous piece.
        let padded = (count + 15) & ~15
        unsafe (destination + count).storeBytes(of: SIMD2(), as: SIMD2<UInt64>.self)
        unsafe (destination + padded).storeBytes(of: lengths(count), as: SIMD2<UInt64>.self)
        var tag = SIMD2<UInt64>()
        unsafe withUnsafeMutableBytes(of: &poly) { poly in
            unsafe withUnsafeMutableBytes(of: &tag) { tag in
                _ = unsafe crypto_onetimeauth_poly1305(
                    tag.start.octets, destination.octets, UInt64(padded + 16), poly.start.octets)
            }
            unsafe sodium_memzero(poly.start, poly.count)
        }
        unsafe (destination + count).storeBytes(of: tag, as: SIMD2<UInt64>.self)
    }

    static func open(
        _ key: UnsafeRawPointer, _ nonce: SIMD4<UInt32>, _ destination: UnsafeMutableRawPointer,
        _ source: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        var poly = unsafe stream(key, nonce, destination, source, count)
        var tag = SIMD2<UInt64>()
        unsafe withUnsafeMutableBytes(of: &poly) { poly in
            unsafe withUnsafeMutableBytes(of: &tag) { tag in
                unsafe authenticate(source, count, poly.start, tag.start)
            }
            unsafe sodium_memzero(poly.start, poly.count)
        }
        return unsafe withUnsafeBytes(of: tag) { tag in
            unsafe crypto_verify_16(tag.octets, (source + count).octets) == 0
        }
    }

    /// Runs the stream over source into destination and gives the Poly1305 key.
    ///
    /// What stands in front of the source is run through the cipher too and taken out of the result again, so that it
    /// need not be zero.
    private static func stream(
        _ key: UnsafeRawPointer, _ nonce: SIMD4<UInt32>, _ destination: UnsafeMutableRawPointer,
        _ source: UnsafeRawPointer, _ count: Int
    ) -> SIMD4<UInt64> {
        let first = unsafe destination - blockSize
        let before = unsafe source - blockSize
        let kept = unsafe first.loadUnaligned(as: SIMD8<UInt64>.self)
        let length = blockSize + count
        let rounded = length <= shortGroup ? shortGroup : (length + group - 1) & ~(group - 1)
        unsafe withUnsafeBytes(of: nonce) { nonce in
            _ = unsafe crypto_stream_chacha20_ietf_xor(
                first.octets, before.octets, UInt64(rounded), nonce.octets, key.octets)
        }
        let poly =
            unsafe first.loadUnaligned(as: SIMD4<UInt64>.self) ^ before.loadUnaligned(as: SIMD4<UInt64>.self)
        unsafe first.storeBytes(of: kept, as: SIMD8<UInt64>.self)
        return poly
    }

    /// Poly1305 over the ciphertext, its padding to 16 bytes and the length block (RFC 8439 §2.8), in pieces because
    /// the tag stands where the padding would.
    private static func authenticate(
        _ ciphertext: UnsafeRawPointer, _ count: Int, _ key: UnsafeMutableRawPointer, _ tag: UnsafeMutableRawPointer
    ) {
        var state = crypto_onetimeauth_poly1305_state()
        let tail = SIMD4<UInt64>(0, 0, 0, UInt64(count).littleEndian)
        let padding = -count & 15
        unsafe withUnsafeMutablePointer(to: &state) { state in
            unsafe crypto_onetimeauth_poly1305_init(state, key.octets)
            unsafe crypto_onetimeauth_poly1305_update(state, ciphertext.octets, UInt64(count))
            unsafe withUnsafeBytes(of: tail) { tail in
                // Up to 15 zero bytes, then eight for the length of no additional data, then the ciphertext's length.
                _ = unsafe crypto_onetimeauth_poly1305_update(
                    state, tail.octets + 16 - padding, UInt64(16 + padding))
            }
            unsafe crypto_onetimeauth_poly1305_final(state, tag.octets)  // wipes the state
        }
    }

    private static func lengths(_ count: Int) -> SIMD2<UInt64> { SIMD2(0, UInt64(count).littleEndian) }
}
