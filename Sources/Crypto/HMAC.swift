import CSodium

/// HMAC (RFC 2104) over BLAKE2s-256: the building block of the handshake's key derivation, and not the keyed BLAKE2s
/// of the MACs (P-2.2).
package enum HMAC {
    /// Writes 32 bytes: the HMAC of the parts one after the other. `output` may be the key's or a part's memory.
    package static func blake2s(
        key: UnsafeRawBufferPointer, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer? = nil,
        into output: UnsafeMutableRawPointer
    ) {
        unsafe withUnsafeTemporaryAllocation(byteCount: BLAKE2s.blockSize, alignment: 8) { pad in
            defer { unsafe sodium_memzero(pad.start, pad.count) }
            unsafe pad.initializeMemory(as: UInt8.self, repeating: 0)
            if key.count > BLAKE2s.blockSize {
                unsafe BLAKE2s.hash(key, into: pad.start)
            } else {
                unsafe pad.start.copyMemory(from: key.octets, byteCount: key.count)
            }
            unsafe withUnsafeTemporaryAllocation(byteCount: BLAKE2s.digestSize, alignment: 8) { inner in
                defer { unsafe sodium_memzero(inner.start, inner.count) }
                for index in pad.indices { unsafe pad[index] ^= 0x36 }
                unsafe BLAKE2s.hash(UnsafeRawBufferPointer(pad), first, second, into: inner.start)
                for index in pad.indices { unsafe pad[index] ^= 0x36 ^ 0x5c }
                unsafe BLAKE2s.hash(UnsafeRawBufferPointer(pad), UnsafeRawBufferPointer(inner), into: output)
            }
        }
    }
}
