/// A Curve25519 public key: 32 bytes, held inline.
package struct PublicKey: Sendable {
    package static let byteCount = 32

    // The bytes as they stand on the wire, in four words of memory order.
    private let word0, word1, word2, word3: UInt64

    /// The 32 bytes at `bytes`. Every value is accepted; a low-order point fails later, when a secret is made (P-2.4).
    package init(at bytes: UnsafeRawPointer) {
        word0 = unsafe bytes.loadUnaligned(as: UInt64.self)
        word1 = unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        word2 = unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        word3 = unsafe bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    }

    /// 44 canonical characters as `wg` prints them; nil for anything else.
    package init?(base64 text: some StringProtocol) { self.init(.base64, text) }

    /// 64 hexadecimal digits, as in the UAPI; nil for anything else.
    package init?(hex text: some StringProtocol) { self.init(.hex, text) }

    /// The key written in `form`; nil for anything else.
    package init?(_ form: KeyText, _ text: some StringProtocol) {
        let key: PublicKey? = unsafe withUnsafeTemporaryAllocation(byteCount: PublicKey.byteCount, alignment: 8) {
            unsafe form.decode(text, into: $0.start) ? unsafe PublicKey(at: $0.start) : nil
        }
        guard let key else { return nil }
        self = key
    }

    package var base64: String { text(.base64) }
    package var hex: String { text(.hex) }

    private func text(_ form: KeyText) -> String {
        withBytes { unsafe form.withEncoded($0) { unsafe String(decoding: $0, as: UTF8.self) } }
    }

    package var isZero: Bool { word0 | word1 | word2 | word3 == 0 }

    /// Lends the 32 bytes.
    @safe package func withBytes<Result: ~Copyable>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        unsafe withUnsafeBytes(of: self) { unsafe body(UnsafeRawPointer($0.octets)) }
    }

    /// Writes 32 bytes.
    package func store(to bytes: UnsafeMutableRawPointer) {
        unsafe bytes.storeBytes(of: word0, as: UInt64.self)
        unsafe bytes.storeBytes(of: word1, toByteOffset: 8, as: UInt64.self)
        unsafe bytes.storeBytes(of: word2, toByteOffset: 16, as: UInt64.self)
        unsafe bytes.storeBytes(of: word3, toByteOffset: 24, as: UInt64.self)
    }
}

/// Hashed with the process's random SipHash key, so that nobody outside can choose keys that collide (P-9.6).
extension PublicKey: Hashable {
    /// Constant time.
    package static func == (a: PublicKey, b: PublicKey) -> Bool {
        (a.word0 ^ b.word0) | (a.word1 ^ b.word1) | (a.word2 ^ b.word2) | (a.word3 ^ b.word3) == 0
    }
}

extension PublicKey: CustomStringConvertible {
    package var description: String { base64 }
}
