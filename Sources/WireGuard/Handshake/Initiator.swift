import Crypto
import Wire

/// The initiator's side of a handshake (§5.4.2): an initiation, and what it takes to understand its response.
///
/// It never changes, so that a response can be tried on any thread.
package final class InitiatedHandshake: Sendable {
    let peer: PeerID
    /// The index that the response will bear, and the session after it (P-2.11).
    let localIndex: UInt32
    let identity: Identity
    let remote: RemotePeer
    /// The initiation, all but its MACs.
    private let message: InlineArray<148, UInt8>
    private let ephemeral: PrivateKey
    private let state: SymmetricState

    /// nil when a Diffie-Hellman result is all zeros (P-2.3).
    init?(_ task: InitiationTask) {
        guard let staticShared = task.remote.staticShared(with: task.identity) else { return nil }
        let ephemeral = PrivateKey.generate(from: task.entropy)
        guard let es = ephemeral.sharedSecret(with: task.remote.publicKey) else { return nil }
        var message = InlineArray<148, UInt8>(repeating: 0)
        var state = SymmetricState(responder: task.remote.publicKey)
        unsafe withUnsafeMutableBytes(of: &message) { buffer in
            let bytes = unsafe buffer.baseAddress.unsafelyUnwrapped
            unsafe store(MessageType.initiation.rawValue, bytes, 0)
            unsafe store(task.localIndex, bytes, Initiation.sender)
            unsafe ephemeral.publicKey.store(to: bytes + Initiation.ephemeral)
            state.mixEphemeral(ephemeral.publicKey)
            let staticKey = state.mixKeyForField(es)
            task.identity.publicKey.withBytes { key in
                unsafe state.seal(key, PublicKey.byteCount, key: staticKey, to: bytes + Initiation.encryptedStatic)
            }
            let stampKey = state.mixKeyForField(staticShared)
            unsafe withUnsafeTemporaryAllocation(byteCount: TAI64N.byteCount, alignment: 8) { stamp in
                let stamp = unsafe stamp.baseAddress.unsafelyUnwrapped
                unsafe task.stamp.store(to: stamp)
                unsafe state.seal(stamp, TAI64N.byteCount, key: stampKey, to: bytes + Initiation.encryptedTimestamp)
            }
        }
        peer = task.peer
        localIndex = task.localIndex
        identity = task.identity
        remote = task.remote
        self.message = message
        self.ephemeral = ephemeral
        self.state = state
    }

    /// Copies the 148 bytes, whose MACs are still to be filled in.
    func copyMessage(to destination: UnsafeMutableRawPointer) {
        unsafe destination.storeBytes(of: message, as: InlineArray<148, UInt8>.self)
    }

    /// Tries a response of full length and a good mac1: two Diffie-Hellmans, some 80 µs, on whatever thread. The engine
    /// that sent the initiation has to `finish` it. One that is not authentic changes nothing.
    package func conclude(_ message: UnsafeRawPointer) -> ConcludedHandshake {
        var handover: SessionKeyHandover?
        if let keys = unsafe keys(from: message) { handover = SessionKeyHandover(keys) }
        return ConcludedHandshake(
            handshake: self, remoteIndex: unsafe littleEndian32(message, Response.sender), keys: handover)
    }

    private func keys(from message: UnsafeRawPointer) -> SessionKeys? {
        let theirs = unsafe PublicKey(at: message + Response.ephemeral)
        var state = state.copy()
        state.mixEphemeral(theirs)
        guard let ee = ephemeral.sharedSecret(with: theirs) else { return nil }
        state.mixKey(ee)
        guard let se = identity.privateKey.sharedSecret(with: theirs) else { return nil }
        state.mixKey(se)
        let key = state.mixPresharedKey(remote.presharedKey)
        let authentic = unsafe withUnsafeTemporaryAllocation(byteCount: AEAD.tagSize, alignment: 8) { nothing in
            unsafe state.open(
                message + Response.encryptedNothing, AEAD.tagSize, key: key, to: nothing.baseAddress.unsafelyUnwrapped)
        }
        return authentic ? state.split() : nil
    }
}
