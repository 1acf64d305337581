import Crypto
import Synchronization
import Wire

/// Who an interface is: its key pair and what follows from it. Shared by all threads and never changed; a new private
/// key makes a new identity.
package final class Identity: Sendable {
    let privateKey: PrivateKey
    /// Tells identities apart, also from those that are gone.
    let serial = Identity.serials.wrappingAdd(1, ordering: .relaxed).newValue
    private static let serials = Atomic<UInt64>(0)
    package var publicKey: PublicKey { privateKey.publicKey }
    private let mac1Key: MACKey
    /// What cookies for others are sealed with (P-3.6).
    let cookieKey: Digest

    package init(_ privateKey: consuming PrivateKey) {
        mac1Key = MACKey(privateKey.publicKey)
        cookieKey = Digest(label: Protocol.labelCookie, privateKey.publicKey)
        self.privateKey = privateKey
    }

    /// Whether an initiation or response of full length carries the mac1 that only someone who knows our public key
    /// can make. Nothing else is computed, and nothing answered, before this holds (P-3.1, P-3.14).
    package func verifiesMAC1(of message: UnsafeRawPointer, _ type: MessageType) -> Bool {
        let offset = type == .initiation ? Initiation.mac1 : Response.mac1
        return unsafe mac1Key.verifies(message + offset, over: message, offset)
    }

    /// The first half of taking an initiation: decrypts who sent it. `message` has the size of an initiation and a good
    /// mac1; nil where it decrypts to nothing or its ephemeral key is of low order.
    func identify(_ message: UnsafeRawPointer) -> IdentifiedInitiation? {
        var state = SymmetricState(responder: publicKey)
        let ephemeral = unsafe PublicKey(at: message + Initiation.ephemeral)
        state.mixEphemeral(ephemeral)
        guard let es = privateKey.sharedSecret(with: ephemeral) else { return nil }
        let key = state.mixKeyForField(es)
        var sender: PublicKey?
        unsafe withUnsafeTemporaryAllocation(byteCount: PublicKey.byteCount, alignment: 8) { bytes in
            let bytes = unsafe bytes.baseAddress.unsafelyUnwrapped
            let field = PublicKey.byteCount + AEAD.tagSize
            if unsafe state.open(message + Initiation.encryptedStatic, field, key: key, to: bytes) {
                sender = unsafe PublicKey(at: bytes)
            }
        }
        guard let sender else { return nil }
        return unsafe IdentifiedInitiation(
            sender: sender, senderIndex: littleEndian32(message, Initiation.sender), ephemeral: ephemeral,
            encryptedTimestamp: message + Initiation.encryptedTimestamp, state: state)
    }
}
