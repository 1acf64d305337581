import Crypto
import Locking
import Wire

/// What a handshake has to know of a peer, whichever thread computes it: keys, and which initiations were taken.
///
/// Shared between the worker that owns the peer and the threads that compute handshakes. Nothing on the packet path
/// looks at it.
package final class RemotePeer: Sendable {
    package let publicKey: PublicKey

    private struct State: ~Copyable {
        var presharedKey: PresharedKey
        /// The serial number of the identity with which `staticShared` was computed; nil before it was.
        var staticSharedWith: UInt64?
        /// nil for a peer whose key is of low order: it can be configured, but never a byte is sent to it (P-2.4).
        var staticShared: Secret?
        /// The greatest stamp ever seen, and when an initiation was last taken (P-2.8, P-2.9).
        var greatestStamp: TAI64N?
        var lastInitiationTaken: Instant?
    }

    private let state: Guarded<State>

    package init(_ publicKey: PublicKey, presharedKey: consuming PresharedKey) {
        self.publicKey = publicKey
        state = Guarded(State(presharedKey: presharedKey))
    }

    // MARK: Keys

    var presharedKey: PresharedKey { state.withLock { $0.presharedKey.copy() } }

    var hasPresharedKey: Bool { state.withLock { !$0.presharedKey.isAbsent } }

    /// The next handshake uses it (P-2.22).
    func setPresharedKey(_ key: consuming PresharedKey) {
        var key: PresharedKey? = consume key
        state.withLock { state in
            if let key = key.take() { state.presharedKey = key }
        }
    }

    /// The Diffie-Hellman result of the two static keys, computed when first needed (P-2.5), and again for another
    /// identity; nil for a peer whose key is of low order.
    func staticShared(with identity: Identity) -> Secret? {
        let known = state.withLock { state -> Known in
            guard state.staticSharedWith == identity.serial else { return .no }
            return .yes(state.staticShared?.copy())
        }
        switch consume known {
        case .yes(let secret): return secret
        case .no: break
        }
        // Outside of the lock: it takes 42 µs. Two threads may both compute it, once in a peer's life.
        let computed = identity.privateKey.sharedSecret(with: publicKey)
        var kept = computed?.copy()
        state.withLock { state in
            state.staticShared = kept.take()
            state.staticSharedWith = identity.serial
        }
        return computed
    }

    private enum Known: ~Copyable {
        case yes(Secret?)
        case no
    }

    // MARK: Initiations

    var greatestStamp: TAI64N? { state.withLock { $0.greatestStamp } }
    var lastInitiationTaken: Instant? { state.withLock { $0.lastInitiationTaken } }

    func raiseGreatestStamp(to stamp: TAI64N) {
        state.withLock { state in
            state.greatestStamp = max(stamp, state.greatestStamp ?? stamp)
        }
    }

    /// Takes note of an authentic initiation; why not, for one that is replayed or comes too soon. Of two with one stamp
    /// that are looked at by two threads only one passes.
    func admit(_ stamp: TAI64N, _ now: Instant) -> Rejection? {
        state.withLock { state in
            if let greatest = state.greatestStamp, stamp <= greatest { return .replayedInitiation }
            if let last = state.lastInitiationTaken, now - last < Protocol.initiationSpacing {
                return .tooManyInitiations
            }
            state.greatestStamp = stamp
            state.lastInitiationTaken = now
            return nil
        }
    }
}
