import CSodium

/// BLAKE2s (RFC 7693), incremental, with an output of 1 to 32 bytes and an optional key of up to 32.
///
/// Noncopyable, because a copy of a keyed state is a copy of what the key did; `finish` wipes it.
package struct BLAKE2s: ~Copyable {
    package static let blockSize = 64
    /// Bytes of a hash, and the most that a key or an output may have.
    package static let digestSize = 32
    /// Bytes of a MAC of this protocol: mac1, mac2, cookie (P-3.1, P-3.2, P-3.3).
    package static let macSize = 16

    private var chain = initialisationVector
    private var block = InlineArray<16, UInt32>(repeating: 0)
    /// Bytes that stand in the block; it is compressed when more than a full one is there.
    private var filled = 0
    /// Bytes compressed so far.
    private var total: UInt64 = 0
    private let outputSize: Int

    private static let initialisationVector = SIMD8<UInt32>(
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19)

    package init(outputSize: Int = digestSize) {
        precondition((1...BLAKE2s.digestSize).contains(outputSize))
        self.outputSize = outputSize
        chain[0] ^= 0x0101_0000 ^ UInt32(outputSize)
    }

    /// With a key of 1 to 32 bytes this is a MAC (RFC 7693 §2.9), which is not HMAC.
    package init(key: UnsafeRawBufferPointer, outputSize: Int = digestSize) {
        precondition(key.count <= BLAKE2s.digestSize)
        self.init(outputSize: outputSize)
        guard key.count > 0 else { return }
        chain[0] ^= UInt32(key.count) << 8
        unsafe withBlock { unsafe $0.copyMemory(from: key.octets, byteCount: key.count) }
        filled = BLAKE2s.blockSize
    }

    /// Goes on behind a first full block, which has left this chain; at least one byte must follow.
    init(after chain: SIMD8<UInt32>, outputSize: Int) {
        self.outputSize = outputSize
        self.chain = chain
        total = UInt64(BLAKE2s.blockSize)
    }

    /// What a first full block that is not the last leaves behind, in a hash with this key size (0 for none) and output size.
    static func chain(afterFirst block: UnsafeRawPointer, keySize: Int = 0, outputSize: Int) -> SIMD8<UInt32> {
        var chain = initialisationVector
        chain[0] ^= 0x0101_0000 ^ UInt32(keySize) << 8 ^ UInt32(outputSize)
        unsafe compress(block, into: &chain, total: UInt64(blockSize), last: false)
        return chain
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe update(UnsafeRawPointer(bytes.octets), bytes.count)
    }

    package mutating func update(_ bytes: UnsafeRawPointer, _ count: Int) {
        var next = unsafe bytes
        var left = count
        while left > 0 {
            if filled == BLAKE2s.blockSize { compress(last: false) }
            let taken = min(left, BLAKE2s.blockSize - filled)
            let offset = filled
            unsafe withBlock { unsafe ($0 + offset).copyMemory(from: next, byteCount: taken) }
            filled += taken
            left -= taken
            unsafe next += taken
        }
    }

    /// Writes `outputSize` bytes and wipes the state, which must not be used again.
    package mutating func finish(into output: UnsafeMutableRawPointer) {
        precondition(filled > 0 || total == 0, "the last block is not compressed yet")
        compress(last: true)
        for index in 0..<8 { chain[index] = chain[index].littleEndian }
        unsafe withUnsafeMutableBytes(of: &chain) { chain in
            unsafe output.copyMemory(from: chain.start, byteCount: outputSize)
            unsafe sodium_memzero(chain.start, chain.count)
        }
    }

    private mutating func withBlock(_ body: (UnsafeMutableRawPointer) -> Void) {
        unsafe withUnsafeMutableBytes(of: &block) { unsafe body($0.start) }
    }

    /// Takes in the block and leaves it empty, all zeros.
    private mutating func compress(last: Bool) {
        total += UInt64(filled)
        filled = 0
        unsafe withUnsafeMutableBytes(of: &block) { block in
            unsafe BLAKE2s.compress(UnsafeRawPointer(block.start), into: &chain, total: total, last: last)
            unsafe sodium_memzero(block.start, block.count)
        }
    }

    /// RFC 7693 §3.2; `total` counts the block's own bytes too.
    private static func compress(
        _ block: UnsafeRawPointer, into chain: inout SIMD8<UInt32>, total: UInt64, last: Bool
    ) {
        var work = Rounds(
            chain: chain, counter: total, last: last, initialisationVector: BLAKE2s.initialisationVector)
        unsafe work.mix(block)
        chain ^= work.folded
    }
}

/// The sixteen working words of one compression, and the ten rounds over them.
///
/// Scalar on purpose: for a portable build, which can't count on SSSE3, the compiler's vectors take three times as long.
private struct Rounds {
    private var v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15: UInt32

    init(chain: SIMD8<UInt32>, counter: UInt64, last: Bool, initialisationVector start: SIMD8<UInt32>) {
        (v0, v1, v2, v3) = (chain[0], chain[1], chain[2], chain[3])
        (v4, v5, v6, v7) = (chain[4], chain[5], chain[6], chain[7])
        (v8, v9, v10, v11) = (start[0], start[1], start[2], start[3])
        v12 = start[4] ^ UInt32(truncatingIfNeeded: counter)
        v13 = start[5] ^ UInt32(truncatingIfNeeded: counter >> 32)
        v14 = last ? ~start[6] : start[6]
        v15 = start[7]
    }

    /// The upper half of the working words folded onto the lower: what goes into the chain.
    var folded: SIMD8<UInt32> {
        SIMD8(v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15)
    }

    /// The message words' order in each round (RFC 7693 §2.7), word 0 in the lowest hexadecimal digit.
    mutating func mix(_ message: UnsafeRawPointer) {
        unsafe round(message, 0xfedc_ba98_7654_3210)
        unsafe round(message, 0x357b_20c1_6df9_84ae)
        unsafe round(message, 0x4917_63ea_df25_0c8b)
        unsafe round(message, 0x8f04_a562_ebcd_1397)
        unsafe round(message, 0xd386_cb1e_fa42_7509)
        unsafe round(message, 0x91ef_57d4_38b0_a6c2)
        unsafe round(message, 0xb829_3670_a4de_f15c)
        unsafe round(message, 0xa268_4f05_931c_e7bd)
        unsafe round(message, 0x5a41_7d2c_803b_9ef6)
        unsafe round(message, 0x0dc3_e9bf_5167_482a)
    }

    /// The columns, then the diagonals.
    @inline(__always)
    private mutating func round(_ message: UnsafeRawPointer, _ order: UInt64) {
        @inline(__always) func word(_ position: UInt64) -> UInt32 {
            let index = Int(order >> (position * 4) & 15)
            return unsafe UInt32(littleEndian: message.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        }
        Rounds.quarter(&v0, &v4, &v8, &v12, word(0), word(1))
        Rounds.quarter(&v1, &v5, &v9, &v13, word(2), word(3))
        Rounds.quarter(&v2, &v6, &v10, &v14, word(4), word(5))
        Rounds.quarter(&v3, &v7, &v11, &v15, word(6), word(7))
        Rounds.quarter(&v0, &v5, &v10, &v15, word(8), word(9))
        Rounds.quarter(&v1, &v6, &v11, &v12, word(10), word(11))
        Rounds.quarter(&v2, &v7, &v8, &v13, word(12), word(13))
        Rounds.quarter(&v3, &v4, &v9, &v14, word(14), word(15))
    }

    /// G of RFC 7693 §3.1.
    @inline(__always)
    private static func quarter(
        _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: UInt32, _ y: UInt32
    ) {
        a = a &+ b &+ x
        d = rotated(d ^ a, 16)
        c = c &+ d
        b = rotated(b ^ c, 12)
        a = a &+ b &+ y
        d = rotated(d ^ a, 8)
        c = c &+ d
        b = rotated(b ^ c, 7)
    }

    @inline(__always)
    private static func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word &>> bits | word &<< (32 &- bits) }
}
