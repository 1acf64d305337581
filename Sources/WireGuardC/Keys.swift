// swift-format-ignore-file: AlwaysUseLowerCamelCase
import CWireGuard
import WireGuard

// fbwg_generate_private_key and its like: the header says what they do.

@c public func fbwg_version() -> UInt32 { UInt32(FBWG_VERSION) }

@c public func fbwg_generate_private_key(_ key: UnsafeMutablePointer<UInt8>?) -> fbwg_result {
    guard let key = unsafe key else { return FBWG_ERROR_ARGUMENT }
    return Tunnel.PrivateKey.generate().withBytes { unsafe copy($0, to: key) }
}

@c public func fbwg_generate_preshared_key(_ key: UnsafeMutablePointer<UInt8>?) -> fbwg_result {
    guard let key = unsafe key else { return FBWG_ERROR_ARGUMENT }
    return Tunnel.PresharedKey.generate().withBytes { unsafe copy($0, to: key) }
}

@c public func fbwg_public_key(
    _ privateKey: UnsafePointer<UInt8>?, _ publicKey: UnsafeMutablePointer<UInt8>?
) -> fbwg_result {
    guard let bytes = unsafe privateKey, let publicKey = unsafe publicKey,
        let key = Tunnel.PrivateKey(unsafe Span(_unsafeStart: bytes, count: Tunnel.PrivateKey.byteCount))
    else { return FBWG_ERROR_ARGUMENT }
    for (index, byte) in key.publicKey.bytes.enumerated() { unsafe publicKey[index] = byte }
    return FBWG_OK
}

@c public func fbwg_key_from_base64(
    _ text: UnsafePointer<CChar>?, _ key: UnsafeMutablePointer<UInt8>?
) -> fbwg_result {
    guard let text = unsafe text, let key = unsafe key else { return FBWG_ERROR_ARGUMENT }
    // Not a byte behind its end is looked at, nor more than a key has.
    var count = 0
    while count < Int(FBWG_KEY_TEXT_SIZE), unsafe text[count] != 0 { count += 1 }
    guard count == Int(FBWG_KEY_TEXT_SIZE) - 1 else { return FBWG_ERROR_ARGUMENT }
    let secret = unsafe text.withMemoryRebound(to: UInt8.self, capacity: count) {
        unsafe Tunnel.PresharedKey(base64Bytes: Span(_unsafeStart: $0, count: count))
    }
    guard let secret else { return FBWG_ERROR_ARGUMENT }
    return secret.withBytes { unsafe copy($0, to: key) }
}

@c public func fbwg_key_to_base64(
    _ key: UnsafePointer<UInt8>?, _ text: UnsafeMutablePointer<CChar>?
) -> fbwg_result {
    guard let key = unsafe key, let text = unsafe text,
        // A preshared key is any 32 bytes, and is wiped.
        let secret = Tunnel.PresharedKey(unsafe Span(_unsafeStart: key, count: Tunnel.PresharedKey.byteCount))
    else { return FBWG_ERROR_ARGUMENT }
    secret.withBase64 { characters in
        for index in 0..<characters.count { unsafe text[index] = CChar(bitPattern: characters[index]) }
        unsafe text[characters.count] = 0
    }
    return FBWG_OK
}

private func copy(_ bytes: Span<UInt8>, to key: UnsafeMutablePointer<UInt8>) -> fbwg_result {
    for index in 0..<bytes.count { unsafe key[index] = bytes[index] }
    return FBWG_OK
}
