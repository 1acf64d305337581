import CSodium
import Crypto

/// The Curve25519 operations of one side of a handshake, by themselves: an ephemeral key's public half, and the three
/// Diffie-Hellmans that are left when the one of the static keys is kept.
@safe struct BareX25519: ~Copyable {
    private static let byteCount = 32
    private static let diffieHellmans = 3

    private let scalar = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCount)
    private let point = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCount)
    private let result = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCount)

    init() {
        Sodium.start()
        let entropy = Entropy.predictableForTests(seed: 25519)
        unsafe entropy.fill(scalar, Self.byteCount)
        // Any 32 bytes are a point's coordinate, on the curve or on its twist.
        unsafe entropy.fill(point, Self.byteCount)
    }

    deinit {
        unsafe scalar.deallocate()
        unsafe point.deallocate()
        unsafe result.deallocate()
    }

    func oneSide() {
        guard unsafe crypto_scalarmult_curve25519_base(result, scalar) == 0 else { fatalError("no public key") }
        for _ in 0..<Self.diffieHellmans {
            guard unsafe crypto_scalarmult_curve25519(result, scalar, point) == 0 else { fatalError("no secret") }
        }
    }
}
