import Crypto

/// The running state of a Noise handshake: chaining key and hash, and how each token moves them (§5.4.1 of the paper,
/// §5.2 of the Noise specification).
///
/// Ciphertexts are sealed with counter 0 under a key used once, with the hash as additional data.
struct SymmetricState: ~Copyable, Sendable {
    private var chainingKey: Secret
    /// A secret too: whoever has it can tell whether a guess of what was hashed is right (P-2.20).
    private var hash: Secret

    /// Where every chaining key and every hash begins (P-1.2).
    static let initialChainingKey = Digest(name: Protocol.construction)
    static let initialHash = {
        var hash = initialChainingKey
        hash.mix(Protocol.identifier)
        return hash
    }()

    /// Both start from the protocol's names, the hash from the responder's public key too, which the initiator knows
    /// beforehand.
    init(responder: PublicKey) {
        chainingKey = Self.initialChainingKey.secret
        hash = Self.initialHash.secret
        responder.withBytes { unsafe mixHash($0, PublicKey.byteCount) }
    }

    private init(chainingKey: consuming Secret, hash: consuming Secret) {
        self.chainingKey = chainingKey
        self.hash = hash
    }

    func copy() -> SymmetricState { SymmetricState(chainingKey: chainingKey.copy(), hash: hash.copy()) }

    mutating func mixHash(_ bytes: UnsafeRawPointer, _ count: Int) {
        unsafe BLAKE2s.hash(hash.buffer, UnsafeRawBufferPointer(start: bytes, count: count), into: hash.mutableBytes)
    }

    /// Token `e`: a public key goes into both.
    mutating func mixEphemeral(_ key: PublicKey) {
        key.withBytes { bytes in
            unsafe mixHash(bytes, PublicKey.byteCount)
            unsafe mixKey(UnsafeRawBufferPointer(start: bytes, count: PublicKey.byteCount))
        }
    }

    /// Tokens `ee` and `se`, whose key is not used: the result goes into the chaining key alone.
    mutating func mixKey(_ shared: borrowing Secret) { unsafe mixKey(shared.buffer) }

    private mutating func mixKey(_ input: UnsafeRawBufferPointer) {
        unsafe KDF.derive(key: chainingKey.buffer, input: input, chainingKey.mutableBytes)
    }

    /// Tokens `es` and `ss`: the result gives the key for the field that follows.
    mutating func mixKeyForField(_ shared: borrowing Secret) -> Secret {
        var key = Secret()
        unsafe KDF.derive(
            key: chainingKey.buffer, input: shared.buffer, chainingKey.mutableBytes, key.mutableBytes)
        return key
    }

    /// Token `psk`: 32 zero bytes where there is none (P-2.22).
    mutating func mixPresharedKey(_ presharedKey: borrowing PresharedKey) -> Secret {
        var mixed = Secret()
        var key = Secret()
        unsafe KDF.derive(
            key: chainingKey.buffer, input: UnsafeRawBufferPointer(start: presharedKey.bytes, count: Secret.byteCount),
            chainingKey.mutableBytes, mixed.mutableBytes, key.mutableBytes)
        unsafe mixHash(mixed.bytes, Secret.byteCount)
        return key
    }

    /// Writes `count` + 16 bytes and mixes them in.
    mutating func seal(
        _ plaintext: UnsafeRawPointer, _ count: Int, key: borrowing Secret, to destination: UnsafeMutableRawPointer
    ) {
        unsafe ChaCha20Poly1305.seal(
            key: key.bytes, counter: 0, UnsafeRawBufferPointer(start: plaintext, count: count),
            additionalData: hash.buffer, into: destination)
        unsafe mixHash(destination, count + AEAD.tagSize)
    }

    /// Opens a field of `count` bytes, its tag included, and mixes it in; false and no change for a forgery.
    mutating func open(
        _ field: UnsafeRawPointer, _ count: Int, key: borrowing Secret, to destination: UnsafeMutableRawPointer
    ) -> Bool {
        let authentic = unsafe ChaCha20Poly1305.open(
            key: key.bytes, counter: 0, UnsafeRawBufferPointer(start: field, count: count),
            additionalData: hash.buffer, into: destination)
        if authentic { unsafe mixHash(field, count) }
        return authentic
    }

    /// The two transport keys (§5.4.5): the first is the initiator's for sending.
    consuming func split() -> SessionKeys {
        var first = Secret()
        var second = Secret()
        let nothing = unsafe UnsafeRawBufferPointer(start: chainingKey.bytes, count: 0)
        unsafe KDF.derive(key: chainingKey.buffer, input: nothing, first.mutableBytes, second.mutableBytes)
        return SessionKeys(initiatorToResponder: first, responderToInitiator: second)
    }
}

/// The keys of a session, one a direction.
struct SessionKeys: ~Copyable, Sendable {
    let initiatorToResponder: Secret
    let responderToInitiator: Secret
}

extension Secret {
    var buffer: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: bytes, count: Secret.byteCount) }
}
