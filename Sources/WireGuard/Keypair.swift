import Crypto
import Wire

/// One session: a key for each direction, their counters, and how old they are.
package final class Keypair {
    package let peer: PeerID
    /// The index that the peer puts into messages to us.
    package let localIndex: UInt32
    /// The index that we put into messages to the peer.
    let remoteIndex: UInt32
    let isInitiator: Bool
    let created: Instant

    let sendingKey: Secret
    let receivingKey: Secret
    private let aead: AEAD
    private(set) var nextCounter: UInt64 = 0
    private(set) var window = ReplayWindow()

    init(
        _ keys: consuming SessionKeys, isInitiator: Bool, localIndex: UInt32, remoteIndex: UInt32, peer: PeerID,
        aead: AEAD, now: Instant
    ) {
        self.peer = peer
        self.localIndex = localIndex
        self.remoteIndex = remoteIndex
        self.isInitiator = isInitiator
        self.aead = aead
        created = now
        if isInitiator {
            sendingKey = keys.initiatorToResponder
            receivingKey = keys.responderToInitiator
        } else {
            sendingKey = keys.responderToInitiator
            receivingKey = keys.initiatorToResponder
        }
    }

    func isExpired(_ now: Instant) -> Bool { now - created >= Protocol.rejectAfterTime }

    // MARK: Sending

    func maySend(_ now: Instant) -> Bool { !isExpired(now) && nextCounter < Protocol.rejectAfterMessages }

    /// The first of `count` consecutive counters, which nothing else will use; nil when the key may not be sent with (any
    /// more). Without counters nothing is sealed.
    package func takeCounters(_ count: Int, _ now: Instant) -> UInt64? {
        guard !isExpired(now), nextCounter <= Protocol.rejectAfterMessages,
            UInt64(count) <= Protocol.rejectAfterMessages - nextCounter
        else { return nil }
        defer { nextCounter += UInt64(count) }
        return nextCounter
    }

    /// Gives up all counters below `counter`: all there are, when it may not be sent with any more.
    func skip(to counter: UInt64) { nextCounter = max(nextCounter, counter) }

    /// Old or used enough for the next one to be asked for (P-5.6).
    func wantsRekeyOnSend(_ now: Instant) -> Bool {
        nextCounter > Protocol.rekeyAfterMessages || isInitiator && now - created >= Protocol.rekeyAfterTime
    }

    /// What sealing takes, for whoever does it.
    package var sealer: Sealer { unsafe Sealer(key: sendingKey.bytes, remoteIndex: remoteIndex) }

    /// Writes one data message, as `Sealer.seal`.
    func seal(
        _ counter: UInt64, _ source: UnsafeRawPointer, _ count: Int, to destination: UnsafeMutableRawPointer
    ) {
        unsafe sealer.seal(counter, source, count, to: destination, aead)
    }

    /// Writes a keepalive: 32 bytes, at any address.
    func sealKeepalive(_ counter: UInt64, to destination: UnsafeMutableRawPointer) {
        let room = AEAD.headroom + DataMessage.overhead + AEAD.slack
        unsafe withUnsafeTemporaryAllocation(byteCount: 2 * room, alignment: 64) { scratch in
            unsafe scratch.initializeMemory(as: UInt8.self, repeating: 0)
            let scratch = unsafe scratch.baseAddress.unsafelyUnwrapped
            let message = unsafe scratch + AEAD.headroom
            unsafe seal(counter, scratch + room + AEAD.headroom, 0, to: message)
            unsafe destination.copyMemory(from: message, byteCount: DataMessage.overhead)
        }
    }

    // MARK: Receiving

    /// Old enough that a receiver who was the initiator asks for the next one (P-5.7).
    func wantsRekeyOnReceive(_ now: Instant) -> Bool {
        isInitiator && now - created >= Protocol.rekeyOnReceiveAfter
    }

    /// Why a message with this counter is not worth opening; nil when it is. Changes nothing (P-4.3).
    package func refusal(of counter: UInt64, _ now: Instant) -> Rejection? {
        if isExpired(now) { return .expiredKey }
        return window.accepts(counter) ? nil : .replayed
    }

    /// What opening takes, for whoever does it.
    package var opener: Opener { unsafe Opener(key: receivingKey.bytes) }

    /// Takes the counter of a message that has proved authentic, unless it has become known meanwhile.
    package func commit(_ counter: UInt64) -> Rejection? { window.commit(counter) ? nil : .replayed }

    /// Opens one data message of `count` ≥ 32 bytes, as `Opener.open`. Only an authentic message changes anything (P-4.3).
    func open(
        _ message: UnsafeRawPointer, _ count: Int, to destination: UnsafeMutableRawPointer, _ now: Instant
    ) -> Rejection? {
        let counter = unsafe DataMessage.counter(at: message)
        if let refusal = refusal(of: counter, now) { return refusal }
        guard unsafe opener.open(message, count, to: destination, aead) else { return .forged }
        return commit(counter)
    }
}

/// Seals with a session's key, on any thread. Valid while the keypair lives that it is from.
@safe package struct Sealer {
    let key: UnsafeRawPointer
    let remoteIndex: UInt32

    init(key: UnsafeRawPointer, remoteIndex: UInt32) {
        unsafe self.key = key
        self.remoteIndex = remoteIndex
    }

    /// Writes one data message: header, `count` bytes of plaintext sealed, tag; `count` + 32 bytes in all. The counter is one
    /// that the keypair has given out, and is used once.
    ///
    /// `source` has `AEAD.headroom` readable bytes in front and `AEAD.slack` behind; `destination` has `AEAD.headroom`
    /// bytes in front of the ciphertext and `AEAD.slack` behind the message, which are overwritten.
    package func seal(
        _ counter: UInt64, _ source: UnsafeRawPointer, _ count: Int, to destination: UnsafeMutableRawPointer,
        _ aead: AEAD
    ) {
        unsafe store(MessageType.data.rawValue, destination, 0)
        unsafe store(remoteIndex, destination, DataMessage.receiver)
        unsafe store(counter, destination, DataMessage.counter)
        unsafe aead.seal(key, counter, destination + DataMessage.headerSize, source, count)
    }
}

/// Opens with a session's key, on any thread. Valid while the keypair lives that it is from.
@safe package struct Opener {
    let key: UnsafeRawPointer

    init(key: UnsafeRawPointer) { unsafe self.key = key }

    /// Writes the `count` − 32 bytes of plaintext of a data message of `count` ≥ 32 bytes; false for a forgery, whose
    /// plaintext means nothing. Room around source and destination as for `Sealer.seal`.
    package func open(
        _ message: UnsafeRawPointer, _ count: Int, to destination: UnsafeMutableRawPointer, _ aead: AEAD
    ) -> Bool {
        unsafe aead.open(
            key, DataMessage.counter(at: message), destination, message + DataMessage.headerSize,
            count - DataMessage.overhead)
    }
}
