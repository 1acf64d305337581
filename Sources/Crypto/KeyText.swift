import CSodium

/// The two written forms of a 32-byte key: base64 as `wg` reads and prints it, and the hexadecimal of its UAPI.
///
/// Strict: base64 is exactly 44 characters, padded and canonical (the two bits that stand for nothing are zero);
/// hexadecimal is exactly 64 digits of either case. Constant time for a given form, because private keys pass here.
package enum KeyText: Sendable {
    case base64
    case hex

    /// Characters in this form: 44 or 64.
    package var count: Int {
        switch self {
        case .base64: 44
        case .hex: 64
        }
    }

    /// Writes 32 bytes at `key`; false when `text` is not exactly one key, and the bytes there then mean nothing.
    func decode(_ text: UnsafeRawBufferPointer, into key: UnsafeMutableRawPointer) -> Bool {
        guard text.count == count else { return false }
        let characters = unsafe text.assumingMemoryBound(to: CChar.self).baseAddress.unsafelyUnwrapped
        var written = 0
        let status =
            switch self {
            case .base64:
                unsafe sodium_base642bin(
                    key.octets, Secret.byteCount, characters, text.count, nil, &written, nil,
                    sodium_base64_VARIANT_ORIGINAL)
            case .hex:
                unsafe sodium_hex2bin(key.octets, Secret.byteCount, characters, text.count, nil, &written, nil)
            }
        return status == 0 && written == Secret.byteCount
    }

    func decode(_ text: some StringProtocol, into key: UnsafeMutableRawPointer) -> Bool {
        var text = String(text)
        return text.withUTF8 { unsafe decode(UnsafeRawBufferPointer($0), into: key) }
    }

    /// Lends `body` the text of the 32 bytes at `key` as ASCII without a terminator, and wipes it afterwards.
    func withEncoded<Result>(_ key: UnsafeRawPointer, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        // Both writers add a terminating zero.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { text in
            defer { unsafe sodium_memzero(text.baseAddress.unsafelyUnwrapped, text.count) }
            let characters = unsafe text.baseAddress.unsafelyUnwrapped
            switch self {
            case .base64:
                _ = unsafe sodium_bin2base64(
                    characters, text.count, key.octets, Secret.byteCount, sodium_base64_VARIANT_ORIGINAL)
            case .hex:
                _ = unsafe sodium_bin2hex(characters, text.count, key.octets, Secret.byteCount)
            }
            return unsafe body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[..<count]))
        }
    }
}

extension Secret {
    /// nil when `text` is not exactly one key. The caller wipes the text.
    package init?(_ form: KeyText, _ text: UnsafeRawBufferPointer) {
        self.init()
        guard unsafe form.decode(text, into: slot.bytes) else { return nil }
    }

    /// nil when `text` is not exactly one key. The string itself cannot be wiped: prefer the form that takes bytes.
    package init?(_ form: KeyText, _ text: some StringProtocol) {
        self.init()
        guard unsafe form.decode(text, into: slot.bytes) else { return nil }
    }

    /// Lends the secret written out as ASCII, without a terminator; the text is wiped when `body` returns.
    @safe package func withText<Result>(_ form: KeyText, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe form.withEncoded(slot.bytes, body)
    }
}
