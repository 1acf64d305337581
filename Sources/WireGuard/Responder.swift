import Crypto

/// An initiation whose sender is known but not yet proved: on its way to the worker that owns the peer.
package final class IdentifiedInitiation: Sendable {
    package let sender: PublicKey
    let senderIndex: UInt32
    let ephemeral: PublicKey
    private let encryptedTimestamp: InlineArray<28, UInt8>
    private let state: SymmetricState

    init(
        sender: PublicKey, senderIndex: UInt32, ephemeral: PublicKey, encryptedTimestamp: UnsafeRawPointer,
        state: consuming SymmetricState
    ) {
        self.sender = sender
        self.senderIndex = senderIndex
        self.ephemeral = ephemeral
        self.encryptedTimestamp = unsafe encryptedTimestamp.loadUnaligned(as: InlineArray<28, UInt8>.self)
        self.state = state
    }

    /// Token `ss` and the time stamp, which prove that the sender has the private key; nil where they do not.
    func authenticate(staticShared: borrowing Secret) -> AuthenticInitiation? {
        var state = state.copy()
        let key = state.mixKeyForField(staticShared)
        var stamp: TAI64N?
        unsafe withUnsafeTemporaryAllocation(byteCount: TAI64N.byteCount, alignment: 8) { bytes in
            let bytes = unsafe bytes.baseAddress.unsafelyUnwrapped
            unsafe withUnsafeBytes(of: encryptedTimestamp) { field in
                if unsafe state.open(field.baseAddress.unsafelyUnwrapped, field.count, key: key, to: bytes) {
                    stamp = unsafe TAI64N(at: bytes)
                }
            }
        }
        guard let stamp else { return nil }
        return AuthenticInitiation(
            sender: sender, senderIndex: senderIndex, ephemeral: ephemeral, stamp: stamp, state: state)
    }
}

/// The responder's side of a handshake (§5.4.3): made of an initiation, used up by the response to it.
struct AuthenticInitiation: ~Copyable {
    private let sender: PublicKey
    let senderIndex: UInt32
    private let ephemeral: PublicKey
    let stamp: TAI64N
    private var state: SymmetricState

    init(
        sender: PublicKey, senderIndex: UInt32, ephemeral: PublicKey, stamp: TAI64N, state: consuming SymmetricState
    ) {
        self.sender = sender
        self.senderIndex = senderIndex
        self.ephemeral = ephemeral
        self.stamp = stamp
        self.state = state
    }

    /// Writes the response, all but its MACs; nil when a Diffie-Hellman result is all zeros (P-2.3).
    consuming func respond(
        localIndex: UInt32, presharedKey: borrowing PresharedKey, entropy: Entropy,
        into message: UnsafeMutableRawPointer
    ) -> SessionKeys? {
        let ours = PrivateKey.generate(from: entropy)
        unsafe store(MessageType.response.rawValue, message, 0)
        unsafe store(localIndex, message, Response.sender)
        unsafe store(senderIndex, message, Response.receiver)
        unsafe ours.publicKey.store(to: message + Response.ephemeral)

        state.mixEphemeral(ours.publicKey)
        guard let ee = ours.sharedSecret(with: ephemeral) else { return nil }
        state.mixKey(ee)
        guard let se = ours.sharedSecret(with: sender) else { return nil }
        state.mixKey(se)
        let key = state.mixPresharedKey(presharedKey)
        unsafe state.seal(message, 0, key: key, to: message + Response.encryptedNothing)
        return state.split()
    }
}
