import Crypto
import Locking
import Wire

/// The first half of a handshake of ours as a computation: two Diffie-Hellmans, some 80 µs, which an engine asks for and
/// anybody may do.
package struct InitiationTask: Sendable {
    package let peer: PeerID
    let remote: RemotePeer
    let identity: Identity
    let localIndex: UInt32
    let stamp: TAI64N
    let entropy: Entropy

    /// The initiation, to be given back to the engine that asked for it. It holds nil when a Diffie-Hellman result is all
    /// zeros (P-2.3).
    package func run() -> ComputedInitiation {
        ComputedInitiation(peer: peer, localIndex: localIndex, handshake: InitiatedHandshake(self))
    }
}

/// What became of an `InitiationTask`.
package struct ComputedInitiation: Sendable {
    package let peer: PeerID
    let localIndex: UInt32
    let handshake: InitiatedHandshake?
}

/// The keys that came of an initiation and its response, on their way to the engine that has sent the initiation.
package struct ConcludedHandshake: Sendable {
    package let handshake: InitiatedHandshake
    let remoteIndex: UInt32
    /// nil when the response is not authentic.
    let keys: SessionKeyHandover?
}

/// Keys of a session on their way between threads; taken once.
final class SessionKeyHandover: Sendable {
    private let keys: Guarded<SessionKeys?>
    init(_ keys: consuming SessionKeys) { self.keys = Guarded(keys) }
    func take() -> SessionKeys? { keys.withLock { $0.take() } }
}
