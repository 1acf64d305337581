/// The optional symmetric key of a peer pair; all zeros where there is none (P-2.22).
package struct PresharedKey: ~Copyable, Sendable {
    private let secret: Secret

    /// None.
    package init() { secret = Secret() }

    package init(_ secret: consuming Secret) { self.secret = secret }

    package static func generate(from entropy: Entropy = .system) -> PresharedKey {
        PresharedKey(Secret(from: entropy))
    }

    /// nil when `text` is not exactly one key; prefer `Secret`'s form that takes bytes, which can be wiped.
    package init?(_ form: KeyText, _ text: some StringProtocol) {
        guard let secret = Secret(form, text) else { return nil }
        self.init(secret)
    }

    package var isAbsent: Bool { secret.isZero }

    /// The 32 bytes, valid while this key lives.
    package var bytes: UnsafeRawPointer { unsafe secret.bytes }

    package func copy() -> PresharedKey { PresharedKey(secret.copy()) }

    /// Constant time.
    package func equals(_ other: borrowing PresharedKey) -> Bool { secret.equals(other.secret) }

    /// Lends the key written out as ASCII, for `genpsk` and the UAPI; the text is wiped when `body` returns.
    @safe package func withText<Result>(_ form: KeyText, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        secret.withText(form, body)
    }
}
