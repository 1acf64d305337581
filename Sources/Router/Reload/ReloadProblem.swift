import Configuration
import Glibc
import Linux
import Nftables
import Pipeline

/// Why a running router does not become what its file says now. It goes on as it was, but for a change that broke off.
package enum ReloadProblem: Error, CustomStringConvertible {
    /// The file is not good.
    case configuration(ConfigurationReport)
    case key(KeyProblem)
    /// What a running router cannot change, a sentence each.
    case needsRestart([String])
    case tooManyPeers
    case port(InterfaceConfiguration, Errno)
    /// A new interface cannot be made.
    case ends(RouterError)
    case host(HostSideError)
    case hostRules(NftablesError)
    /// It is a drop-in without a file.
    case notPossible(String)
    /// The workers did not answer in the middle of the change: part of it is made, and the router has to end.
    case brokeOff

    package var description: String {
        switch self {
        case .configuration(let report): "\(report)"
        case .key(let problem): problem.message
        case .needsRestart(let reasons): reasons.map { "\($0): this needs a restart" }.joined(separator: "\n")
        case .tooManyPeers: "more than \(PeerRegistry.peerBound) peers"
        case .port(let interface, let error) where error.rawValue == EADDRINUSE:
            "\(interface.name.value): UDP port \(interface.listenPort.value) is in use"
        case .port(let interface, let error):
            "\(interface.name.value): cannot use UDP port \(interface.listenPort.value): \(error)"
        case .ends(let error): "\(error)"
        case .host(let error): "\(error)"
        case .hostRules(let error): "\(error)"
        case .notPossible(let why): why
        case .brokeOff:
            "the reload broke off half-way, as a worker does not answer: the router ends, and begins anew with its file when it is started again"
        }
    }

    /// Whether it is the file's fault: exit code 78.
    package var isForConfiguration: Bool {
        switch self {
        case .configuration, .key, .needsRestart: true
        case .tooManyPeers, .port, .ends, .host, .hostRules, .notPossible, .brokeOff: false
        }
    }
}
