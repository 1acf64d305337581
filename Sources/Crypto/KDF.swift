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
