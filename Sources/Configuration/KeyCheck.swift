import Crypto
import Pipeline

/// Tries every key that a router file refers to, and what only the keys can tell.
package enum KeyCheck {
    /// What the keys are needed for.
    package enum Purpose: Sendable {
        /// `check`: a key that this user may not read is only noted.
        case checking
        /// `run`: every key has to be there.
        case running
    }

    /// Throws all errors at once; otherwise returns notes on what could not be looked at. The keys are let go of again.
    package static func check(
        _ loaded: LoadedConfiguration, _ keys: KeyFile, for purpose: Purpose
    ) throws(ConfigurationReport) -> ConfigurationReport {
        let diagnostics = Diagnostics()
        func report(_ problem: KeyProblem, _ position: SourcePosition) {
            if purpose == .checking, problem.isForPrivileges {
                diagnostics.note(problem.message, at: position)
            } else {
                diagnostics.error(problem.message, at: position)
            }
        }
        for interface in loaded.configuration.interfaces {
            if let privateKey = interface.privateKey {
                do throws(KeyProblem) {
                    let own = try keys.privateKey(privateKey.value).publicKey
                    refuse(own, among: interface, diagnostics)
                } catch {
                    report(error, privateKey.position)
                }
            }
            for presharedKey in interface.peers.compactMap(\.presharedKey) {
                do throws(KeyProblem) {
                    _ = try keys.presharedKey(presharedKey.value)
                } catch {
                    report(error, presharedKey.position)
                }
            }
        }
        let result = ConfigurationReport(loaded.source, diagnostics)
        if diagnostics.hasErrors { throw result }
        return result
    }

    /// The kernel drops a peer with our own key without a word (P-8.5); in a file it is a mistake to be told of.
    private static func refuse(_ own: PublicKey, among interface: InterfaceConfiguration, _ diagnostics: Diagnostics) {
        for peer in interface.peers where peer.publicKey.value == own {
            diagnostics.error(
                "peer '\(peer.name.value)' has the public key of '\(interface.name.value)' itself",
                at: peer.publicKey.position)
        }
    }
}
