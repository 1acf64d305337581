/// A key of BLAKE2s MACs of 16 bytes for several messages: the block that it fills is compressed once.
///
/// As secret as the key is; not wiped, because the keys of mac1 are hashes of public keys.
package struct BLAKE2sMACKey: Sendable {
    /// What the key's block leaves behind.
    private let chain: SIMD8<UInt32>

    /// Of 1 to 32 bytes.
    package init(_ key: UnsafeRawBufferPointer) {
        precondition((1...BLAKE2s.digestSize).contains(key.count))
        chain = unsafe withUnsafeTemporaryAllocation(byteCount: BLAKE2s.blockSize, alignment: 8) { block in
            unsafe block.initializeMemory(as: UInt8.self, repeating: 0)
            unsafe block.start.copyMemory(from: key.octets, byteCount: key.count)
            return unsafe BLAKE2s.chain(
                afterFirst: UnsafeRawPointer(block.start), keySize: key.count, outputSize: BLAKE2s.macSize)
        }
    }

    /// Writes the 16 bytes of the MAC of a message that is not empty.
    package func authenticate(_ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawPointer) {
        var state = BLAKE2s(after: chain, outputSize: BLAKE2s.macSize)
        unsafe state.update(message)
        unsafe state.finish(into: output)
    }
}
