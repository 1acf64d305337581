extension AEAD {
    /// Whether the backend seals as RFC 8439 says and refuses what it should: run before its first packet; a backend
    /// that fails is not used.
    ///
    /// RFC 8439's own AEAD example has additional data, which a transport backend doesn't take. So libsodium's AEAD
    /// call is held against that example (§2.8.2), and the backend against libsodium's call at the lengths where
    /// vectorised code changes its ways.
    package func passesSelfTest() -> Bool {
        Sodium.start()
        guard AEAD.referenceIsRight() else { return false }
        let room = AEAD.headroom + AEAD.selfTestLengths.reduce(0, max) + AEAD.tagSize + AEAD.slack
        return unsafe withUnsafeTemporaryAllocation(byteCount: room * 4, alignment: 64) { memory in
            unsafe memory.initializeMemory(as: UInt8.self, repeating: Scratch.filler)
            let entropy = Entropy.predictableForTests(seed: 8439)
            let start = unsafe memory.start + AEAD.headroom
            let scratch = unsafe Scratch(
                plain: start, sealed: start + room, opened: start + 2 * room, expected: start + 3 * room)
            unsafe entropy.fill(scratch.plain, room - AEAD.headroom)
            let key = Secret(from: entropy)
            return AEAD.selfTestLengths.allSatisfy { count in
                unsafe agrees(key, entropy.uint64(), scratch, count)
            }
        }
    }

    /// Around each block, each rounding boundary, and the sizes that packets have.
    private static let selfTestLengths = [
        0, 1, 15, 16, 17, 32, 63, 64, 65, 127, 128, 191, 192, 193, 255, 256, 257, 447, 448, 449, 511, 512, 576, 959,
        960, 961, 1279, 1280, 1420, 1424, 1440, 1472, 1984, 4096, 8944, 9000, 65_520,
    ]

    @unsafe private struct Scratch {
        /// What stands in the headroom of each.
        static let filler: UInt8 = 0xa5
        let plain, sealed, opened, expected: UnsafeMutableRawPointer

        func keepsHeadroom() -> Bool {
            (1...AEAD.headroom).allSatisfy {
                unsafe (sealed - $0).octets.pointee == Scratch.filler
                    && (opened - $0).octets.pointee == Scratch.filler
            }
        }
    }

    private func agrees(_ key: borrowing Secret, _ counter: UInt64, _ scratch: Scratch, _ count: Int) -> Bool {
        unsafe ChaCha20Poly1305.seal(
            key: key.bytes, counter: counter, UnsafeRawBufferPointer(start: scratch.plain, count: count),
            additionalData: UnsafeRawBufferPointer(start: nil, count: 0), into: scratch.expected)
        unsafe seal(key.bytes, counter, scratch.sealed, scratch.plain, count)
        let sealedCount = count + AEAD.tagSize
        guard unsafe ConstantTime.equal(scratch.sealed, scratch.expected, count: sealedCount),
            unsafe open(key.bytes, counter, scratch.opened, scratch.sealed, count),
            unsafe ConstantTime.equal(scratch.opened, scratch.plain, count: count), unsafe scratch.keepsHeadroom()
        else { return false }
        // Another counter, and a flipped bit at the start, in the middle and at the end, must all be refused.
        guard unsafe !open(key.bytes, counter &+ 1, scratch.opened, scratch.sealed, count) else { return false }
        for position in [0, sealedCount / 2, sealedCount - 1] {
            unsafe scratch.sealed.octets[position] ^= 0x40
            guard unsafe !open(key.bytes, counter, scratch.opened, scratch.sealed, count) else { return false }
            unsafe scratch.sealed.octets[position] ^= 0x40
        }
        return true
    }

    /// RFC 8439 §2.8.2: the sunscreen text's tag, which depends on every byte of key, nonce, data and text.
    private static func referenceIsRight() -> Bool {
        let text: StaticString =
            "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        let tag: InlineArray<16, UInt8> = [
            0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a, 0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91,
        ]
        let nonce = SIMD4(
            UInt32(7).littleEndian, UInt32(0x4342_4140).littleEndian, UInt32(0x4746_4544).littleEndian, 0)
        let additionalData: InlineArray<12, UInt8> = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ]
        var key = InlineArray<32, UInt8>(repeating: 0)
        for index in key.indices { key[index] = 0x80 + UInt8(index) }
        let count = text.utf8CodeUnitCount
        return unsafe withUnsafeTemporaryAllocation(byteCount: count + AEAD.tagSize, alignment: 1) { sealed in
            unsafe withUnsafeBytes(of: key) { key in
                unsafe withUnsafeBytes(of: additionalData) { additionalData in
                    unsafe ChaCha20Poly1305.seal(
                        key: key.octets, nonce: nonce, UnsafeRawBufferPointer(start: text.utf8Start, count: count),
                        additionalData: additionalData, into: sealed.start)
                }
            }
            return unsafe withUnsafeBytes(of: tag) { tag in
                unsafe ConstantTime.equal(sealed.start + count, tag.octets, count: AEAD.tagSize)
            }
        }
    }
}
