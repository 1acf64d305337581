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

    /// The fastest that there is here. libIPSec_MB is not even loaded where it could not be much faster.
    package static func fastest() throws(Problem) -> Selection {
        guard IPSecMB.cpuHasIFMA else {
            return Selection(
                try checkedLibsodium(), "this CPU has no AVX-512 IFMA, which libIPSec_MB needs to be much faster")
        }
        switch IPSecMB.backend {
        case .success(let aead) where IPSecMB.usesIFMA:
            return Selection(aead, "libIPSec_MB \(IPSecMB.version) makes use of this CPU's AVX-512 IFMA")
        case .success:
            return Selection(
                try checkedLibsodium(), "libIPSec_MB \(IPSecMB.version) makes no use of this CPU's AVX-512 IFMA")
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
