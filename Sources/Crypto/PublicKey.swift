/// A Curve25519 public key: 32 bytes, held inline.
package struct PublicKey: Sendable {
    package static let byteCount = 32

    /// The bytes as they stand on the wire, in four words of memory order.
    private let words: SIMD4<UInt64>

    /// The 32 bytes at `bytes`. Every value is accepted; a low-order point fails later, when a secret is made (P-2.4).
    package init(at bytes: UnsafeRawPointer) { words = unsafe bytes.loadUnaligned(as: SIMD4<UInt64>.self) }

    /// 44 canonical characters as `wg` prints them; nil for anything else.
    package init?(base64 text: some StringProtocol) { self.init(.base64, text) }

    /// 64 hexadecimal digits, as in the UAPI; nil for anything else.
    package init?(hex text: some StringProtocol) { self.init(.hex, text) }

    private init?(_ form: KeyText, _ text: some StringProtocol) {
        var words = SIMD4<UInt64>()
        let read = unsafe withUnsafeMutableBytes(of: &words) { words in
            unsafe form.decode(text, into: words.start)
        }
        guard read else { return nil }
        self.words = words
    }

    package var base64: String { text(.base64) }
    package var hex: String { text(.hex) }

    private func text(_ form: KeyText) -> String {
        unsafe withBytes { unsafe form.withEncoded($0) { unsafe String(decoding: $0, as: UTF8.self) } }
    }

    package var isZero: Bool { words == SIMD4() }

    package func withBytes<Result: ~Copyable>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        unsafe withUnsafeBytes(of: words) { unsafe body($0.baseAddress.unsafelyUnwrapped) }
    }

    /// Writes 32 bytes.
    package func store(to bytes: UnsafeMutableRawPointer) {
        unsafe bytes.storeBytes(of: words, as: SIMD4<UInt64>.self)
    }
}

/// Hashed with the process's random SipHash key, so that nobody outside can choose keys that collide (P-9.6).
extension PublicKey: Hashable {
    /// Constant time.
    package static func == (a: PublicKey, b: PublicKey) -> Bool { (a.words ^ b.words).wrappedSum() == 0 }
}

extension PublicKey: CustomStringConvertible {
    package var description: String { base64 }
}
