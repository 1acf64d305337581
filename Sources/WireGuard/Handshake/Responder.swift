import Crypto
import Wire

/// An initiation whose sender is known but not yet proved.
struct IdentifiedInitiation: ~Copyable {
    let sender: PublicKey
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

    /// Makes the response, all but its MACs; nil when a Diffie-Hellman result is all zeros (P-2.3).
    consuming func respond(
        _ entry: PeerDirectory.Entry, _ identity: Identity, _ epoch: Int, localIndex: UInt32, entropy: Entropy
    ) -> AnsweredInitiation? {
        let (remoteIndex, stamp) = (senderIndex, stamp)
        let ours = PrivateKey.generate(from: entropy)
        guard let ee = ours.sharedSecret(with: ephemeral), let se = ours.sharedSecret(with: sender) else { return nil }
        state.mixEphemeral(ours.publicKey)
        state.mixKey(ee)
        state.mixKey(se)
        let key = state.mixPresharedKey(entry.remote.presharedKey)
        var message = InlineArray<92, UInt8>(repeating: 0)
        unsafe withUnsafeMutableBytes(of: &message) { buffer in
            let bytes = unsafe buffer.baseAddress.unsafelyUnwrapped
            unsafe store(MessageType.response.rawValue, bytes, 0)
            unsafe store(localIndex, bytes, Response.sender)
            unsafe store(remoteIndex, bytes, Response.receiver)
            unsafe ours.publicKey.store(to: bytes + Response.ephemeral)
            unsafe state.seal(bytes, 0, key: key, to: bytes + Response.encryptedNothing)
        }
        return AnsweredInitiation(
            entry, identity, epoch, stamp: stamp, localIndex: localIndex, remoteIndex: remoteIndex, message: message,
            keys: state.split())
    }
}

/// An initiation that was taken, with the response to it and the session's keys: on its way to the worker that owns the
/// peer.
package final class AnsweredInitiation: Sendable {
    package let peer: PeerID
    package let worker: Int
    let remote: RemotePeer
    let identity: Identity
    let epoch: Int
    let stamp: TAI64N
    let localIndex: UInt32
    let remoteIndex: UInt32
    let keys: SessionKeyHandover
    /// The response, all but its MACs.
    private let message: InlineArray<92, UInt8>

    init(
        _ entry: PeerDirectory.Entry, _ identity: Identity, _ epoch: Int, stamp: TAI64N, localIndex: UInt32,
        remoteIndex: UInt32,
        message: InlineArray<92, UInt8>, keys: consuming SessionKeys
    ) {
        peer = entry.id
        worker = entry.worker
        remote = entry.remote
        self.identity = identity
        self.epoch = epoch
        self.stamp = stamp
        self.localIndex = localIndex
        self.remoteIndex = remoteIndex
        self.message = message
        self.keys = SessionKeyHandover(keys)
    }

    /// Copies the 92 bytes, whose MACs are still to be filled in.
    func copyMessage(to destination: UnsafeMutableRawPointer) {
        unsafe destination.storeBytes(of: message, as: InlineArray<92, UInt8>.self)
    }
}
