import Wire

/// The five timers of a peer and the events that move them (P-5).
///
/// One field a timer; an event sets or clears fields and nothing else, so that it costs next to nothing per packet.
/// The engine keeps each peer once on its wheel, at its `earliest`.
struct PeerTimers: Equatable {
    /// What has to be done because a timer ran out.
    enum Expiry {
        /// No response: send the initiation again (P-5.1).
        case retransmit
        /// No response to any of them: give up, drop what is staged (P-5.1).
        case giveUp
        /// Data came in and nothing went out since: a passive keepalive (P-5.2).
        case keepalive
        /// Data went out and nothing came in since: a new handshake (P-5.3).
        case newHandshake
        /// The keys were not replaced for long: wipe them (P-5.4).
        case zeroKeys
        /// The interval that the user set has passed (P-5.5).
        case persistentKeepalive
    }

    /// The user's interval; zero switches it off.
    var persistentInterval = Interval.seconds(0)

    private var retransmitAt = Instant.never
    private var keepaliveAt = Instant.never
    private var newHandshakeAt = Instant.never
    private var zeroKeysAt = Instant.never
    private var persistentAt = Instant.never
    private var needsAnotherKeepalive = false
    private var attempts = 0
    /// Uniform in 0…1/3 s and drawn anew with each handshake, so that two peers who began at the same moment do not go
    /// on doing so, and no packet has to pay for randomness.
    private var jitter = Interval.seconds(0)

    var earliest: Instant {
        min(min(retransmitAt, keepaliveAt), min(newHandshakeAt, zeroKeysAt), persistentAt)
    }

    // MARK: Events

    mutating func dataSent(_ now: Instant) {
        guard newHandshakeAt == .never else { return }
        newHandshakeAt = now + Protocol.keepaliveTimeout + Protocol.rekeyTimeout + jitter
    }

    mutating func dataReceived(_ now: Instant) {
        if keepaliveAt == .never {
            keepaliveAt = now + Protocol.keepaliveTimeout
        } else {
            needsAnotherKeepalive = true
        }
    }

    /// The keepalive that was due went out. More data than one message had come in by then: another one follows, in
    /// case this one is lost.
    mutating func keepaliveSent(_ now: Instant) {
        guard needsAnotherKeepalive else { return }
        needsAnotherKeepalive = false
        keepaliveAt = now + Protocol.keepaliveTimeout
    }

    /// Anything authenticated went out: handshake, data or keepalive.
    mutating func authenticatedSent(_ now: Instant) {
        keepaliveAt = .never
        traversal(now)
    }

    /// Anything authenticated came in; a cookie reply is not (P-5.10).
    mutating func authenticatedReceived(_ now: Instant) {
        newHandshakeAt = .never
        traversal(now)
    }

    private mutating func traversal(_ now: Instant) {
        if persistentInterval.nanoseconds > 0 { persistentAt = now + persistentInterval }
    }

    /// A handshake is wanted for a reason of its own, not as a retransmission: the attempts count from here.
    mutating func handshakeWanted() { attempts = 0 }

    mutating func drawJitter(_ jitter: Interval) { self.jitter = jitter }

    mutating func initiationSent(_ now: Instant) {
        retransmitAt = now + Protocol.rekeyTimeout + jitter
    }

    /// An initiation was due less than 5 s after another handshake message (P-2.10): it is made up for when it may be
    /// sent, unless a session has come about by then. Without this, two peers whose initiations cross on a slow path
    /// would both fall silent.
    mutating func initiationPostponed(to moment: Instant) {
        guard retransmitAt == .never else { return }
        retransmitAt = moment + jitter
    }

    /// The keys are gone: nothing is owed on them. A persistent keepalive goes on, and so brings the next handshake.
    mutating func sessionForgotten() {
        retransmitAt = .never
        keepaliveAt = .never
        newHandshakeAt = .never
        zeroKeysAt = .never
        needsAnotherKeepalive = false
        attempts = 0
    }

    mutating func handshakeCompleted() {
        retransmitAt = .never
        attempts = 0
    }

    mutating func sessionDerived(_ now: Instant, jitter: Interval) {
        self.jitter = jitter
        zeroKeysAt = now + Protocol.zeroKeysAfter
    }

    /// The user's interval has changed; the caller sends the first keepalive where one is due (P-5.12).
    mutating func setPersistentInterval(_ interval: Interval, _ now: Instant) {
        persistentInterval = interval
        persistentAt = interval.nanoseconds > 0 ? now + interval : .never
    }

    /// The peer goes: nothing may fire any more (P-5.11).
    mutating func stop() { self = PeerTimers() }

    /// The interface goes down: nothing may fire before it is up again, but what the user has set stays.
    mutating func disarm() {
        let interval = persistentInterval
        self = PeerTimers()
        persistentInterval = interval
    }

    // MARK: Expiry

    /// The next timer that has run out by `now`, disarmed or armed anew as it demands; nil when there is none (left).
    mutating func expire(_ now: Instant) -> Expiry? {
        if retransmitAt <= now {
            retransmitAt = .never
            guard attempts <= Protocol.handshakeRetries else {
                keepaliveAt = .never
                if zeroKeysAt == .never { zeroKeysAt = now + Protocol.zeroKeysAfter }
                return .giveUp
            }
            attempts += 1
            return .retransmit
        }
        if keepaliveAt <= now {
            keepaliveAt = .never
            return .keepalive
        }
        if newHandshakeAt <= now {
            newHandshakeAt = .never
            return .newHandshake
        }
        if zeroKeysAt <= now {
            zeroKeysAt = .never
            return .zeroKeys
        }
        if persistentAt <= now {
            // The keepalive itself sets the next one; if it cannot be sent, this does.
            persistentAt = now + persistentInterval
            return .persistentKeepalive
        }
        return nil
    }
}
