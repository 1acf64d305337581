import Crypto

/// The initiator's side of a handshake (§5.4.2): an initiation that is out, waiting for its response.
struct InitiatedHandshake: ~Copyable {
    /// The index that the response will bear, and the session after it (P-2.11).
    let localIndex: UInt32
    private let ephemeral: PrivateKey
    private let state: SymmetricState

    /// Writes the initiation, all but its MACs; nil when a Diffie-Hellman result is all zeros (P-2.3).
    init?(
        _ identity: Identity, to peer: PublicKey, staticShared: borrowing Secret, localIndex: UInt32, stamp: TAI64N,
        entropy: Entropy, into message: UnsafeMutableRawPointer
    ) {
        let ephemeral = PrivateKey.generate(from: entropy)
        unsafe store(MessageType.initiation.rawValue, message, 0)
        unsafe store(localIndex, message, Initiation.sender)
        unsafe ephemeral.publicKey.store(to: message + Initiation.ephemeral)

        var state = SymmetricState(responder: peer)
        state.mixEphemeral(ephemeral.publicKey)
        guard let es = ephemeral.sharedSecret(with: peer) else { return nil }
        let staticKey = state.mixKeyForField(es)
        identity.publicKey.withBytes { bytes in
            unsafe state.seal(bytes, PublicKey.byteCount, key: staticKey, to: message + Initiation.encryptedStatic)
        }
        let stampKey = state.mixKeyForField(staticShared)
        unsafe withUnsafeTemporaryAllocation(byteCount: TAI64N.byteCount, alignment: 8) { bytes in
            let bytes = unsafe bytes.baseAddress.unsafelyUnwrapped
            unsafe stamp.store(to: bytes)
            unsafe state.seal(bytes, TAI64N.byteCount, key: stampKey, to: message + Initiation.encryptedTimestamp)
        }
        self.localIndex = localIndex
        self.ephemeral = ephemeral
        self.state = state
    }

    /// The session's keys from the response; nil, with nothing changed, for one that is not authentic.
    func consume(
        response message: UnsafeRawPointer, _ identity: Identity, presharedKey: borrowing PresharedKey
    ) -> SessionKeys? {
        let theirs = unsafe PublicKey(at: message + Response.ephemeral)
        var state = state.copy()
        state.mixEphemeral(theirs)
        guard let ee = ephemeral.sharedSecret(with: theirs) else { return nil }
        state.mixKey(ee)
        guard let se = identity.privateKey.sharedSecret(with: theirs) else { return nil }
        state.mixKey(se)
        let key = state.mixPresharedKey(presharedKey)
        let authentic = unsafe withUnsafeTemporaryAllocation(byteCount: AEAD.tagSize, alignment: 8) { nothing in
            unsafe state.open(
                message + Response.encryptedNothing, AEAD.tagSize, key: key, to: nothing.baseAddress.unsafelyUnwrapped)
        }
        return authentic ? state.split() : nil
    }
}
