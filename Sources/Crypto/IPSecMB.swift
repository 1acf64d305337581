import CIPSecMB

/// Intel's Multi-Buffer Crypto for IPsec Library (libIPSec_MB) as the transport cipher, where it is installed.
///
/// With AVX-512 IFMA it is twice as fast as what is composed of libsodium's primitives; without, hardly any faster. Its tags
/// are compared here, and where it fails libsodium does the same work: the bytes are the same.
package enum IPSecMB {
    /// Why it cannot be used here.
    package enum Problem: Error, Equatable, CustomStringConvertible {
        case otherArchitecture
        case notInstalled
        case unknownVersion(String)
        case refuses
        case failsSelfTest(String)

        package var description: String {
            switch self {
            case .otherArchitecture: "libIPSec_MB is for x86-64 only"
            case .notInstalled: "libIPSec_MB.so.1 is not installed (Debian: libipsec-mb1)"
            case .unknownVersion(let version):
                "libIPSec_MB is of version \(version), and only 1.3.0's structures are known"
            case .refuses: "libIPSec_MB does not start: it has no memory, or fails its own self-test"
            case .failsSelfTest(let version): "libIPSec_MB \(version) fails the self-test"
            }
        }
    }

    /// Looked for once, and held against libsodium before it is given to anybody.
    package static let backend: Result<AEAD, Problem> = {
        switch cipsecmb_load() {
        case CIPSECMB_READY: aead.passesSelfTest() ? .success(aead) : .failure(.failsSelfTest(version))
        case CIPSECMB_OTHER_ARCHITECTURE: .failure(.otherArchitecture)
        case CIPSECMB_UNKNOWN_VERSION: .failure(.unknownVersion(version))
        case CIPSECMB_REFUSES: .failure(.refuses)
        default: .failure(.notInstalled)
        }
    }()

    /// Whether this CPU has AVX-512 IFMA, and the library, once it is loaded, makes use of it.
    static let cpuHasIFMA = cipsecmb_cpu_has_ifma() != 0
    static var usesIFMA: Bool { cipsecmb_uses_ifma() != 0 }

    /// As the library says it.
    package static var version: String {
        let version = cipsecmb_version()
        return "\(version >> 16).\(version >> 8 & 0xff).\(version & 0xff)"
    }

    private static let aead = unsafe AEAD(
        name: "ipsec-mb",
        seal: { key, counter, destination, source, count in
            unsafe seal(key, ChaCha20Poly1305.nonce(counter), destination, source, count)
        },
        open: { key, counter, destination, source, count in
            unsafe open(key, ChaCha20Poly1305.nonce(counter), destination, source, count)
        })

    /// The nonce is the first 12 bytes of what is given.
    static func seal(
        _ key: UnsafeRawPointer, _ nonce: SIMD4<UInt32>, _ destination: UnsafeMutableRawPointer,
        _ source: UnsafeRawPointer, _ count: Int
    ) {
        let isDone = unsafe withUnsafeBytes(of: nonce) { nonce in
            unsafe cipsecmb_seal(
                key, nonce.octets, destination, source, UInt64(count), destination + count) == 0
        }
        if !isDone { unsafe ComposedAEAD.seal(key, nonce, destination, source, count) }
    }

    static func open(
        _ key: UnsafeRawPointer, _ nonce: SIMD4<UInt32>, _ destination: UnsafeMutableRawPointer,
        _ source: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        var tag = SIMD2<UInt64>()
        let isDone = unsafe withUnsafeMutableBytes(of: &tag) { tag in
            unsafe withUnsafeBytes(of: nonce) { nonce in
                unsafe cipsecmb_open(key, nonce.octets, destination, source, UInt64(count), tag.start) == 0
            }
        }
        guard isDone else { return unsafe ComposedAEAD.open(key, nonce, destination, source, count) }
        return unsafe withUnsafeBytes(of: tag) { tag in
            unsafe ConstantTime.equal(tag.octets, source + count, count: AEAD.tagSize)
        }
    }
}
