/// A peer played by the test: it knows the keys of one side and makes every byte itself, right or wrong. Written from
/// the paper alone, so that it is a second opinion on the handshake.
struct ScriptedPeer {
    typealias Bytes = [UInt8]

    struct Session {
        var sending: Bytes
        var receiving: Bytes
        /// What goes into messages to the other side.
        var remoteIndex: UInt32
    }

    struct Seen {
        var sender: UInt32
        var ephemeral: Bytes
        var staticKey: Bytes
        var stamp: Bytes
    }

    let privateKey: Bytes
    let remote: Bytes
    var presharedKey = Bytes(repeating: 0, count: 32)
    var index: UInt32 = 0x0e7e_0e7e
    /// Its ephemeral private key; each handshake of a test may set another.
    var ephemeral = Bytes(repeating: 0xe4, count: 32)
    /// What it says its ephemeral public key was, where that is not the truth.
    var claimedEphemeral: Bytes?
    /// What it takes the static keys' Diffie-Hellman result for, where it names another key than its own.
    var claimedStaticShared: Bytes?

    private(set) var chainingKey = Bytes()
    private(set) var hash = Bytes()

    init(_ privateKey: Bytes, remote: Bytes) {
        self.privateKey = privateKey
        self.remote = remote
    }

    var publicKey: Bytes { Oracle.publicKey(privateKey) }
    private var ephemeralPublic: Bytes { claimedEphemeral ?? Oracle.publicKey(ephemeral) }

    /// A TAI64N stamp.
    static func stamp(seconds: UInt64, nanoseconds: UInt32 = 0) -> Bytes {
        Oracle.big(0x4000_0000_0000_000a + seconds) + Oracle.big(nanoseconds)
    }

    // MARK: As initiator

    /// `naming` another public key than its own makes it an impostor.
    mutating func initiation(stamp: Bytes, naming name: Bytes? = nil) -> Bytes {
        begin(responder: remote)
        mix(ephemeralPublic)
        let es = ephemeralShared(remote)
        let sealedStatic = seal(name ?? publicKey, es)
        let ss = claimedStaticShared ?? Oracle.dh(privateKey, remote)
        let sealedStamp = seal(stamp, ss)
        return authenticated(
            Oracle.little(UInt32(1)) + Oracle.little(index) + ephemeralPublic + sealedStatic + sealedStamp)
    }

    /// nil when the response is not authentic.
    mutating func consume(response: Bytes) -> Session? {
        let theirs = Bytes(response[12..<44])
        mix(theirs)
        chainingKey = Oracle.kdf(chainingKey, Oracle.dh(ephemeral, theirs), 1)[0]
        chainingKey = Oracle.kdf(chainingKey, Oracle.dh(privateKey, theirs), 1)[0]
        let key = mixPresharedKey()
        guard Oracle.open(key, 0, Bytes(response[44..<60]), hash) != nil else { return nil }
        let keys = Oracle.kdf(chainingKey, [], 2)
        return Session(sending: keys[0], receiving: keys[1], remoteIndex: response.word(4))
    }

    // MARK: As responder

    /// nil when the initiation is not authentic.
    mutating func consume(initiation: Bytes) -> Seen? {
        begin(responder: publicKey)
        let theirs = Bytes(initiation[8..<40])
        mix(theirs)
        guard let staticKey = open(Bytes(initiation[40..<88]), Oracle.dh(privateKey, theirs)),
            let stamp = open(Bytes(initiation[88..<116]), Oracle.dh(privateKey, staticKey))
        else { return nil }
        return Seen(sender: initiation.word(4), ephemeral: theirs, staticKey: staticKey, stamp: stamp)
    }

    mutating func response(to seen: Seen) -> (message: Bytes, session: Session) {
        mix(ephemeralPublic)
        chainingKey = Oracle.kdf(chainingKey, ephemeralShared(seen.ephemeral), 1)[0]
        chainingKey = Oracle.kdf(chainingKey, ephemeralShared(seen.staticKey), 1)[0]
        let key = mixPresharedKey()
        let nothing = Oracle.seal(key, 0, [], hash)
        let keys = Oracle.kdf(chainingKey, [], 2)
        let message = authenticated(
            Oracle.little(UInt32(2)) + Oracle.little(index) + Oracle.little(seen.sender) + ephemeralPublic + nothing)
        return (message, Session(sending: keys[1], receiving: keys[0], remoteIndex: seen.sender))
    }

    /// The cookie that answers `message`, as a responder under load would send it (§5.4.7).
    func cookieReply(to message: Bytes, cookie: Bytes, nonce: Bytes = Bytes(0..<24)) -> Bytes {
        let mac1 = Bytes(message.suffix(32).prefix(16))
        let key = Oracle.hash(Bytes("cookie--".utf8) + publicKey)
        return Oracle.little(UInt32(3)) + Oracle.little(message.word(4)) + nonce
            + Oracle.sealCookie(key, nonce: nonce, cookie, mac1: mac1)
    }

    // MARK: Data

    static func data(_ session: Session, _ counter: UInt64, _ plaintext: Bytes) -> Bytes {
        Oracle.little(UInt32(4)) + Oracle.little(session.remoteIndex) + Oracle.little(counter)
            + Oracle.seal(session.sending, counter, plaintext)
    }

    static func open(_ session: Session, _ message: Bytes) -> Bytes? {
        let counter = UInt64(message.word(8)) | UInt64(message.word(12)) << 32
        return Oracle.open(session.receiving, counter, Bytes(message.dropFirst(16)))
    }

    // MARK: The parts

    /// The message with mac1 over all before it, and no mac2.
    func authenticated(_ body: Bytes) -> Bytes {
        let mac1 = Oracle.mac(Oracle.hash(Bytes("mac1----".utf8) + remote), body)
        return body + mac1 + Bytes(repeating: 0, count: 16)
    }

    /// A claimed ephemeral key is of low order: the other side's result, if it did not look, would be zeros.
    private func ephemeralShared(_ other: Bytes) -> Bytes {
        claimedEphemeral == nil ? Oracle.dh(ephemeral, other) : Bytes(repeating: 0, count: 32)
    }

    private mutating func begin(responder: Bytes) {
        chainingKey = Oracle.hash(Oracle.construction)
        hash = Oracle.hash(Oracle.hash(chainingKey + Oracle.identifier) + responder)
    }

    private mutating func mix(_ ephemeral: Bytes) {
        hash = Oracle.hash(hash + ephemeral)
        chainingKey = Oracle.kdf(chainingKey, ephemeral, 1)[0]
    }

    private mutating func mixPresharedKey() -> Bytes {
        let outputs = Oracle.kdf(chainingKey, presharedKey, 3)
        chainingKey = outputs[0]
        hash = Oracle.hash(hash + outputs[1])
        return outputs[2]
    }

    private mutating func seal(_ plaintext: Bytes, _ shared: Bytes) -> Bytes {
        let outputs = Oracle.kdf(chainingKey, shared, 2)
        chainingKey = outputs[0]
        let sealed = Oracle.seal(outputs[1], 0, plaintext, hash)
        hash = Oracle.hash(hash + sealed)
        return sealed
    }

    private mutating func open(_ sealed: Bytes, _ shared: Bytes) -> Bytes? {
        let outputs = Oracle.kdf(chainingKey, shared, 2)
        guard let plaintext = Oracle.open(outputs[1], 0, sealed, hash) else { return nil }
        chainingKey = outputs[0]
        hash = Oracle.hash(hash + sealed)
        return plaintext
    }
}
