import CSodium
import Locking

/// A source of random bytes: keys, receiver indices, cookie secrets and nonces come from the one that is handed in.
@safe package struct Entropy: Sendable {
    /// Writes that many bytes at the address.
    package typealias Fill = @Sendable (UnsafeMutableRawPointer, Int) -> Void

    package let fill: Fill

    package init(fill: @escaping Fill) { unsafe self.fill = fill }

    /// The kernel's generator (getrandom), through libsodium.
    package static let system = unsafe Entropy { bytes, count in
        Sodium.start()
        unsafe randombytes_buf(bytes, count)
    }

    package func uint32() -> UInt32 {
        var value: UInt32 = 0
        unsafe withUnsafeMutableBytes(of: &value) { unsafe fill($0.start, $0.count) }
        return value
    }

    package func uint64() -> UInt64 {
        var value: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &value) { unsafe fill($0.start, $0.count) }
        return value
    }
}

extension Entropy {
    /// The same bytes in the same order for the same seed: for tests and simulations, never for keys that matter.
    package static func predictableForTests(seed: UInt64) -> Entropy {
        let drawn = DrawCount()
        return unsafe Entropy { bytes, count in
            Sodium.start()
            // Each draw is a ChaCha20 stream of its own: the seed is the key, the draw's number the nonce.
            let key = SIMD4<UInt64>(seed.littleEndian, 0, 0, 0)
            let nonce = drawn.next().littleEndian
            unsafe withUnsafeBytes(of: key) { key in
                unsafe withUnsafeBytes(of: nonce) { nonce in
                    _ = unsafe crypto_stream_chacha20(
                        bytes.octets, UInt64(count),
                        nonce.octets,
                        key.octets)
                }
            }
        }
    }

    private final class DrawCount: Sendable {
        private let count = Guarded<UInt64>(0)
        func next() -> UInt64 {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }
}
