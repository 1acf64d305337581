import Wire

/// Messages of types 1 to 3, in the order of a handshake.
extension Engine {
    /// Asks for a handshake for a reason of its own; not more often than every 5 s whatever the reason (P-2.10).
    func wantHandshake(_ peer: Peer, _ now: Instant) {
        guard isUp else { return }
        peer.timers.handshakeWanted()
        sendInitiation(peer, now)
    }

    func sendInitiation(_ peer: Peer, _ now: Instant) {
        guard peer.path != nil, let identity = directory.identity else { return }
        if let last = peer.lastHandshakeSent, now - last < Protocol.rekeyTimeout {
            return peer.timers.initiationPostponed(to: last + Protocol.rekeyTimeout)
        }
        // One that is still being computed is not computed again: it would only make others wait longer.
        if case .computing = peer.handshake { return peer.timers.initiationSent(now) }
        // Whatever asks for the next one: a keepalive of 5 s is always in front of the retransmission.
        if peer.reportsSilence, case .sent = peer.handshake {
            outbox.note(peer.id, .initiationUnanswered(handshakeAge: peer.lastCompleted.map { now - $0 }))
        }
        abandonHandshake(peer)
        let localIndex = index.draw(environment)
        let stamp = TAI64N(environment.wallTime()).after(peer.lastStampSent)
        index.insert(handshakeOf: peer.slot, localIndex)
        peer.handshake = .computing(localIndex: localIndex)
        peer.lastStampSent = stamp
        peer.lastHandshakeSent = now
        peer.timers.drawJitter(jitter())
        peer.timers.initiationSent(now)
        outbox.compute(
            InitiationTask(
                peer: peer.id, remote: peer.remote, identity: identity, localIndex: localIndex, stamp: stamp,
                entropy: environment.entropy))
    }

    /// Sends an initiation that this engine has asked for, unless it isn't wanted any more.
    package func finish(_ computed: ComputedInitiation, _ now: Instant) {
        guard let peer = peer(computed.peer), case .computing(computed.localIndex) = peer.handshake else { return }
        guard let handshake = computed.handshake, let path = peer.path else { return abandonHandshake(peer) }
        peer.handshake = .sent(handshake)
        // It leaves now, however long it has waited to be computed.
        peer.lastHandshakeSent = now
        peer.timers.initiationSent(now)
        var message = Outgoing(
            peer: peer.id, path: path, count: Initiation.size, trafficClass: Protocol.handshakeTrafficClass)
        unsafe message.withBytes { bytes in
            unsafe handshake.copyMessage(to: bytes)
            unsafe peer.macs.seal(bytes, mac1: Initiation.mac1, now)
        }
        send(message, to: peer, now)
        schedule(peer)
    }

    /// Sends the response to an initiation that was taken (`PeerDirectory.answer`) from a peer of this engine.
    package func finish(_ answer: AnsweredInitiation, from path: Path, _ now: Instant) -> Rejection? {
        guard isUp, let peer = peer(answer.peer), peer.remote === answer.remote, answer.identity === directory.identity,
            answer.epoch == directory.epoch,
            index.isFree(answer.localIndex), peer.lastStampAnswered.map({ $0 < answer.stamp }) ?? true,
            let keys = answer.keys.take()
        else { return .overtaken }
        peer.lastStampAnswered = answer.stamp
        if answer.stamp.seconds > TAI64N(environment.wallTime()).seconds + Limits.futureStampSeconds {
            outbox.note(peer.id, .stampFromTheFuture)
        }
        // One handshake at a time for a peer, and the newest counts (P-2.18).
        abandonHandshake(peer)
        roam(peer, path)
        peer.received += UInt64(Initiation.size)
        let keypair = Keypair(
            keys, isInitiator: false, localIndex: answer.localIndex, remoteIndex: answer.remoteIndex, peer: peer.id,
            aead: environment.aead, now: now)
        index.insert(keypair)
        retire(peer.keypairs.install(responded: keypair))
        peer.timers.sessionDerived(now, jitter: jitter())
        peer.lastHandshakeSent = now
        var message = Outgoing(
            peer: peer.id, path: path, count: Response.size, trafficClass: Protocol.handshakeTrafficClass)
        unsafe message.withBytes { bytes in
            unsafe answer.copyMessage(to: bytes)
            unsafe peer.macs.seal(bytes, mac1: Response.mac1, now)
        }
        send(message, to: peer, now)
        peer.timers.authenticatedReceived(now)
        schedule(peer)
        return nil
    }

    /// The initiation that a message of type 2 with its full length says it answers.
    package func handshake(for response: UnsafeRawPointer) -> InitiatedHandshake? {
        guard let slot = index.handshake(unsafe littleEndian32(response, Response.receiver)), let peer = peers[slot],
            case .sent(let handshake) = peer.handshake
        else { return nil }
        return handshake
    }

    /// Begins the session that a response has brought, if it was authentic and answers what is still out.
    package func finish(_ concluded: ConcludedHandshake, from path: Path, _ now: Instant) -> Rejection? {
        guard let keys = concluded.keys else { return .invalidResponse }
        let handshake = concluded.handshake
        guard let peer = peer(handshake.peer), case .sent(let underWay) = peer.handshake, underWay === handshake,
            handshake.identity === directory.identity, let keys = keys.take()
        else { return .overtaken }
        // The handshake's index goes on as the session's.
        peer.handshake = nil
        let keypair = Keypair(
            keys, isInitiator: true, localIndex: handshake.localIndex, remoteIndex: concluded.remoteIndex,
            peer: peer.id, aead: environment.aead, now: now)
        index.insert(keypair)
        retire(peer.keypairs.install(initiated: keypair))
        roam(peer, path)
        peer.received += UInt64(Response.size)
        peer.timers.sessionDerived(now, jitter: jitter())
        completed(peer, now, initiator: true)
        peer.timers.authenticatedReceived(now)
        // The responder may not send before it has seen data: what is staged, or else a keepalive (P-2.12).
        outbox.release(peer.id, orConfirm: true)
        schedule(peer)
        return nil
    }

    /// What has to hold before anything costly is done for an initiation or response of full length, and before anything is
    /// answered: a mac1 that only someone who knows our public key can make (P-3.1, P-3.14). Three compressions of BLAKE2s,
    /// half a microsecond: less than it takes to hand the message over to another thread.
    package func refusal(of message: UnsafeRawPointer, _ type: MessageType) -> Rejection? {
        guard let identity else { return .noIdentity }
        return unsafe identity.verifiesMAC1(of: message, type) ? nil : .badMAC1
    }

    /// Takes a message of type 1 to 3 with its full length, all of it at once: for callers that have no other threads for
    /// handshakes, and are not under load.
    package func receive(_ message: UnsafeRawPointer, _ type: MessageType, from path: Path, _ now: Instant)
        -> Rejection?
    {
        guard type != .cookieReply else { return unsafe consume(cookieReply: message, now) }
        if let refusal = unsafe refusal(of: message, type) { return refusal }
        if type == .response {
            guard let handshake = unsafe handshake(for: message) else { return .unknownReceiver }
            return finish(unsafe handshake.conclude(message), from: path, now)
        }
        do throws(Rejection) {
            let answer = try unsafe directory.answer(
                message, indices: environment.indices, entropy: environment.entropy, now)
            return finish(answer, from: path, now)
        } catch {
            return error
        }
    }

    /// A message of type 3 with its full length. Proves nothing about the peer: no timer, no endpoint (P-3.8).
    package func consume(cookieReply message: UnsafeRawPointer, _ now: Instant) -> Rejection? {
        let receiver = unsafe littleEndian32(message, CookieReply.receiver)
        let owner = index.handshake(receiver).flatMap { peers[$0] } ?? index.keypair(receiver).flatMap { peer($0.peer) }
        guard let peer = owner else { return .unknownReceiver }
        return unsafe peer.macs.consume(cookieReply: message, now) ? nil : .invalidCookieReply
    }

    /// A message without content: keeps the way open, and proves that we have the session's keys (P-4.7). Asks for a
    /// handshake where there is no session.
    package func sendKeepalive(to id: PeerID, _ now: Instant) {
        guard let peer = peer(id) else { return }
        sendKeepalive(peer, now)
        schedule(peer)
    }

    func sendKeepalive(_ peer: Peer, _ now: Instant) {
        guard isUp, let path = peer.path else { return }
        guard let current = peer.keypairs.current, let counter = current.takeCounters(1, now) else {
            return wantHandshake(peer, now)
        }
        var message = Outgoing(peer: peer.id, path: path, count: DataMessage.overhead)
        unsafe message.withBytes { bytes in unsafe current.sealKeepalive(counter, to: bytes) }
        send(message, to: peer, now)
        if current.wantsRekeyOnSend(now) { wantHandshake(peer, now) }
    }

    private func send(_ message: Outgoing, to peer: Peer, _ now: Instant) {
        peer.sent += UInt64(message.count)
        peer.timers.authenticatedSent(now)
        outbox.send(message)
    }
}
