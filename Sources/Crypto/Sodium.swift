import CSodium

/// libsodium's one-time start, which picks the code paths that this CPU has (AVX2, SSSE3, …).
package enum Sodium {
    private static let started: Void = {
        // Fails only where the system has no source of randomness; nothing safe could be done then (P-2.21).
        precondition(sodium_init() >= 0, "libsodium cannot start: the system gives no random bytes")
    }()

    /// Idempotent; everything in this module that needs it calls it.
    package static func start() { started }
}
