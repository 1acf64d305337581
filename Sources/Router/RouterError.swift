import Configuration
import Crypto
import Glibc
import Linux
import Nftables
import Pipeline
import TUN
import Wire

/// Why a router does not start. Nothing is left of it then.
package enum RouterError: Error, CustomStringConvertible {
    case alreadyRunning(String)
    case alreadyServed(String)
    case control(String, Errno)
    case tun(TUNError)
    case port(String, UInt16, Errno)
    case offloadMissing(String)
    case aead(AEAD.Problem)
    case key(KeyProblem)
    case host(HostSideError)
    case hostRules(NftablesError)
    case system(Errno)

    package var description: String {
        switch self {
        case .alreadyRunning(let name): "a router '\(name)' is running already"
        case .alreadyServed(let name): "\(name): another process serves an interface of this name"
        case .control(let path, let error): "cannot listen at \(path): \(error.text)"
        case .tun(let error): "\(error)"
        case .port(let interface, let port, let error) where error.rawValue == EADDRINUSE:
            "\(interface): UDP port \(port) is in use"
        case .port(let interface, let port, let error): "\(interface): cannot use UDP port \(port): \(error)"
        case .offloadMissing(let text): text
        case .aead(let problem): "\(problem)"
        case .key(let problem): problem.message
        case .host(let error): "\(error)"
        case .hostRules(let error): "\(error)"
        case .system(let error): "\(error)"
        }
    }

    /// True when the right privileges would help: exit code 77.
    package var isForPrivileges: Bool {
        switch self {
        case .tun(.notPermitted), .hostRules(.notPermitted): true
        case .tun(.unavailable(let error)), .port(_, _, let error), .control(_, let error), .system(let error):
            error.rawValue == EPERM || error.rawValue == EACCES
        default: false
        }
    }
}
