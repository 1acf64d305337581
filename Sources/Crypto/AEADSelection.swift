extension AEAD {
    /// One that is ready to be used, and why it is this one.
    package struct Selection: Sendable {
        package let aead: AEAD
        /// For the log: "this CPU has no …".
        package let reason: String

        init(_ aead: AEAD, _ reason: String) {
            self.aead = aead
            self.reason = reason
        }
    }

    /// Why there is none.
    package enum Problem: Error, CustomStringConvertible {
        case libsodiumFailsSelfTest
        case ipsecMB(IPSecMB.Problem)

        package var description: String {
            switch self {
            case .libsodiumFailsSelfTest: "libsodium's ChaCha20-Poly1305 fails its self-test"
            case .ipsecMB(let problem): "ipsec-mb cannot be used: \(problem)"
            }
        }
    }

    /// The fastest that there is here.
    package static func fastest() throws(Problem) -> Selection {
        switch IPSecMB.backend {
        case .success(let aead) where IPSecMB.isMuchFaster:
            return Selection(aead, "libIPSec_MB \(IPSecMB.version), and this CPU has AVX-512 IFMA")
        case .success:
            return Selection(
                try checkedLibsodium(),
                "libIPSec_MB \(IPSecMB.version) needs AVX-512 IFMA to be much faster, which this CPU does not have")
        case .failure(let problem): return Selection(try checkedLibsodium(), "\(problem)")
        }
    }

    /// libsodium's, whatever else there is.
    package static func onlyLibsodium() throws(Problem) -> Selection {
        Selection(try checkedLibsodium(), "the file says so")
    }

    /// libIPSec_MB's, on any CPU where it is right.
    package static func onlyIPSecMB() throws(Problem) -> Selection {
        switch IPSecMB.backend {
        case .success(let aead): return Selection(aead, "the file says so; libIPSec_MB \(IPSecMB.version)")
        case .failure(let problem): throw .ipsecMB(problem)
        }
    }

    private static func checkedLibsodium() throws(Problem) -> AEAD {
        guard AEAD.libsodium.passesSelfTest() else { throw .libsodiumFailsSelfTest }
        return .libsodium
    }
}
