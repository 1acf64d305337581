import Crypto

/// What anybody can send who knows a router's public key: nothing in it decrypts, but its mac1 is good, and it has no cookie.
enum ForgedInitiation {
    static func bytes(to name: String, hasGoodMAC1: Bool = true) -> [UInt8] {
        var bytes: [UInt8] =
            [1, 0, 0, 0] + (0..<128).map { UInt8(truncatingIfNeeded: $0 * 7) } + [UInt8](repeating: 0, count: 16)
        let publicKey = World.publicKey(name)
        var key = [UInt8](repeating: 0, count: 32)
        let label = [UInt8]("mac1----".utf8)
        unsafe label.withUnsafeBytes { label in
            unsafe key.withUnsafeMutableBytes { key in
                publicKey.withBytes { publicKey in
                    unsafe BLAKE2s.hash(
                        label, UnsafeRawBufferPointer(start: publicKey, count: 32),
                        into: key.baseAddress.unsafelyUnwrapped)
                }
            }
        }
        unsafe bytes.withUnsafeMutableBytes { bytes in
            let start = unsafe bytes.baseAddress.unsafelyUnwrapped
            unsafe key.withUnsafeBytes { key in
                unsafe BLAKE2s.mac(key: key, UnsafeRawBufferPointer(start: start, count: 116), into: start + 116)
            }
        }
        if !hasGoodMAC1 { bytes[131] ^= 1 }
        return bytes
    }
}
