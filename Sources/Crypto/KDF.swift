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
        var expanding = HMACKey(secret)
        unsafe expand(expanding, 1, nil, first)
        if let second = unsafe second {
            unsafe expand(expanding, 2, first, second)
            if let third = unsafe third { unsafe expand(expanding, 3, second, third) }
        }
        expanding.wipe()
    }

    /// HMAC(secret, previous ‖ number).
    private static func expand(
        _ secret: borrowing HMACKey, _ number: UInt8, _ previous: UnsafeMutableRawPointer?,
        _ output: UnsafeMutableRawPointer
    ) {
        unsafe withUnsafeBytes(of: number) { number in
            if let previous = unsafe previous {
                let previous = unsafe UnsafeRawBufferPointer(start: previous, count: BLAKE2s.digestSize)
                unsafe secret.authenticate(previous, number, into: output)
            } else {
                unsafe secret.authenticate(number, into: output)
            }
        }
    }
}
