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

/// Noise's HKDF with one, two or three outputs (Noise §4.3; the KDF1…3 of the WireGuard paper §5.4).
///
/// Each output is 32 bytes and may be the key's memory: the chaining key is replaced in place.
package enum KDF {
    package static func derive(
        key: UnsafeRawBufferPointer, input: UnsafeRawBufferPointer, _ first: UnsafeMutableRawPointer,
        _ second: UnsafeMutableRawPointer? = nil, _ third: UnsafeMutableRawPointer? = nil
    ) {
        var secret = Secret()
        unsafe HMAC.blake2s(key: key, input, into: secret.mutableBytes)
        unsafe expand(secret, 1, nil, first)
        guard let second = unsafe second else { return }
        unsafe expand(secret, 2, first, second)
        guard let third = unsafe third else { return }
        unsafe expand(secret, 3, second, third)
    }

    /// HMAC(secret, previous ‖ number).
    private static func expand(
        _ secret: borrowing Secret, _ number: UInt8, _ previous: UnsafeMutableRawPointer?,
        _ output: UnsafeMutableRawPointer
    ) {
        let key = unsafe UnsafeRawBufferPointer(start: secret.bytes, count: Secret.byteCount)
        unsafe withUnsafeBytes(of: number) { number in
            if let previous = unsafe previous {
                let previous = unsafe UnsafeRawBufferPointer(start: previous, count: BLAKE2s.digestSize)
                unsafe HMAC.blake2s(key: key, previous, number, into: output)
            } else {
                unsafe HMAC.blake2s(key: key, number, into: output)
            }
        }
    }
}
