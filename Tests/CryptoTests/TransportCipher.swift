import Testing

@testable import Crypto

/// The transport ciphers, each also under nonces that are not counters, as the vectors have them.
enum TransportCipher: String, CaseIterable {
    case libsodium
    case ipsecMB = "ipsec-mb"

    /// Those that this machine can run. What the others lack is told where their own tests are skipped.
    static let here: [TransportCipher] = allCases.filter { $0 != .ipsecMB || whyNoIPSecMB == nil }

    static let whyNoIPSecMB: String? = {
        if case .failure(let problem) = IPSecMB.backend { "\(problem)" } else { nil }
    }()

    func aead() throws -> AEAD {
        switch self {
        case .libsodium: .libsodium
        case .ipsecMB: try IPSecMB.backend.get()
        }
    }

    func seal(_ key: [UInt8], _ nonce: [UInt8], _ source: CipherRoom, _ count: Int, into destination: inout CipherRoom)
    {
        let seal = self == .libsodium ? unsafe ComposedAEAD.seal : unsafe IPSecMB.seal
        key.secret.withBytes { key in
            source.lend { source in
                destination.lendMutable { destination in
                    unsafe seal(key, nonce.nonce, destination, source, count)
                }
            }
        }
    }

    func open(
        _ key: [UInt8], _ nonce: [UInt8], _ source: CipherRoom, _ count: Int, into destination: inout CipherRoom
    ) -> Bool {
        let open = self == .libsodium ? unsafe ComposedAEAD.open : unsafe IPSecMB.open
        return key.secret.withBytes { key in
            source.lend { source in
                destination.lendMutable { destination in
                    unsafe open(key, nonce.nonce, destination, source, count)
                }
            }
        }
    }
}
