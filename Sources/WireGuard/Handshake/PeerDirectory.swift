import Crypto
import Locking
import Wire

/// Who an interface is and whom it knows, by public key: where a handshake looks up its two sides.
///
/// Shared by the engines of all workers, which enter and remove their peers, and by the threads that compute handshakes.
package final class PeerDirectory: Sendable {
    package struct Entry: Sendable {
        package let id: PeerID
        /// The worker that owns the peer.
        package let worker: Int
        package let remote: RemotePeer
    }

    private struct Contents {
        var identity: Identity?
        /// How often all sessions had to be forgotten: what was computed before is of no use after.
        var epoch = 0
        var entries: [PublicKey: Entry] = [:]
        /// What an earlier run has told of peers that are not here yet.
        var remembered: [PublicKey: TAI64N] = [:]
    }

    private let contents: Guarded<Contents>
    private let stampBound: Int

    package init(_ identity: Identity?, stampBound: Int = Limits.rememberedStamps) {
        contents = Guarded(Contents(identity: identity))
        self.stampBound = stampBound
    }

    /// nil for an interface without a private key, which has no handshakes. Engines have to be told of another one
    /// (`Engine.identityChanged`).
    package var identity: Identity? {
        get { contents.withLock { $0.identity } }
        set { contents.withLock { $0.identity = newValue } }
    }

    package var epoch: Int { contents.withLock { $0.epoch } }

    /// All keys made so far are to be forgotten, those still on their way included. Engines have to be told
    /// (`Engine.forgetSessions`).
    package func beginEpoch() { contents.withLock { $0.epoch += 1 } }

    package subscript(publicKey: PublicKey) -> Entry? { contents.withLock { $0.entries[publicKey] } }

    func insert(_ entry: Entry) {
        contents.withLock { contents in
            let earlier = contents.entries.updateValue(entry, forKey: entry.remote.publicKey)
            precondition(earlier == nil, "a peer is added once")
            if let stamp = contents.remembered.removeValue(forKey: entry.remote.publicKey) {
                entry.remote.raiseGreatestStamp(to: stamp)
            }
        }
    }

    func remove(_ publicKey: PublicKey) { contents.withLock { _ = $0.entries.removeValue(forKey: publicKey) } }

    // MARK: The memory of time stamps (S-20)

    /// The greatest stamp of each peer that has been heard from, or was when this was last remembered.
    package var greatestStamps: [PublicKey: TAI64N] {
        let (entries, remembered) = contents.withLock { ($0.entries, $0.remembered) }
        return entries.values.reduce(into: remembered) { stamps, entry in
            if let stamp = entry.remote.greatestStamp { stamps[entry.remote.publicKey] = stamp }
        }
    }

    package func greatestStamp(of publicKey: PublicKey) -> TAI64N? { self[publicKey]?.remote.greatestStamp }

    /// Refuses initiations up to these stamps from now on, also of peers that are added later: what an earlier run has
    /// taken may not be played to this one again.
    package func remember(_ stamps: [PublicKey: TAI64N]) {
        contents.withLock { contents in
            for (key, stamp) in stamps {
                if let entry = contents.entries[key] {
                    entry.remote.raiseGreatestStamp(to: stamp)
                } else {
                    contents.remembered[key] = stamp
                }
            }
            // Who has not been heard of for longest is the least likely to come again.
            let surplus = contents.remembered.count - stampBound
            guard surplus > 0 else { return }
            for (key, _) in contents.remembered.sorted(by: { $0.value < $1.value }).prefix(surplus) {
                contents.remembered[key] = nil
            }
        }
    }

    // MARK: Initiations

    /// Takes an initiation of full length and a good mac1, proves its sender, and makes the response to it: three or
    /// four Diffie-Hellmans, some 165 µs, on whatever thread. The owner of the peer has to `finish` it.
    ///
    /// Only an authentic initiation changes anything: its stamp is remembered.
    package func answer(
        _ message: UnsafeRawPointer, indices: IndexSpace, entropy: Entropy, _ now: Instant
    ) throws(Rejection) -> AnsweredInitiation {
        let (known, epoch) = contents.withLock { ($0.identity, $0.epoch) }
        guard let identity = known else { throw .noIdentity }
        guard let identified = unsafe identity.identify(message) else { throw .invalidInitiation }
        guard let entry = self[identified.sender] else { throw .unknownPeer }
        guard let shared = entry.remote.staticShared(with: identity),
            let authentic = identified.authenticate(staticShared: shared)
        else { throw .invalidInitiation }
        if let rejection = entry.remote.admit(authentic.stamp, now) { throw rejection }
        // Whether the index is free only the owner knows: it looks before it uses it (P-2.11).
        let index = indices.draw(worker: entry.worker, entropy: entropy) { _ in true }
        guard let answer = authentic.respond(entry, identity, epoch, localIndex: index, entropy: entropy) else {
            throw .invalidInitiation
        }
        return answer
    }
}
