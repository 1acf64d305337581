import Wire

/// Messages of types 1 to 3, in the order of a handshake.
extension Engine {
    /// Asks for a handshake for a reason of its own; not more often than every 5 s whatever the reason (P-2.10).
    func wantHandshake(_ peer: Peer, _ now: Instant) {
        peer.timers.handshakeWanted()
        sendInitiation(peer, now)
    }

    func sendInitiation(_ peer: Peer, _ now: Instant) {
        guard let path = peer.path else { return }
        if let last = peer.lastHandshakeSent, now - last < Protocol.rekeyTimeout {
            return peer.timers.initiationPostponed(to: last + Protocol.rekeyTimeout)
        }
        let stamp = TAI64N(environment.wallTime()).after(peer.lastStampSent)
        let localIndex = index.draw(environment)
        var message = Outgoing(peer: peer.id, path: path, count: Initiation.size)
        let begun = unsafe message.withBytes { bytes in
            let begun = peer.withStaticShared { staticShared in
                unsafe InitiatedHandshake(
                    identity, to: peer.publicKey, staticShared: staticShared, localIndex: localIndex, stamp: stamp,
                    entropy: environment.entropy, into: bytes)
            }
            if begun != nil { unsafe peer.macs.seal(bytes, mac1: Initiation.mac1, now) }
            return begun
        }
        guard let begun else { return }
        abandonHandshake(peer)
        index.insert(handshakeOf: peer.slot, localIndex)
        peer.handshake = consume begun
        peer.lastStampSent = stamp
        peer.lastHandshakeSent = now
        peer.timers.initiationSent(now, jitter: jitter())
        send(message, to: peer, now)
    }

    /// The second half of taking an initiation, on the worker that owns the peer: proves the sender, answers.
    package func consume(_ initiation: IdentifiedInitiation, from path: Path, _ now: Instant) -> Rejection? {
        guard let peer = peer(initiation.sender) else { return .unknownPeer }
        let authentic = peer.withStaticShared { initiation.authenticate(staticShared: $0) }
        guard let authentic else { return .invalidInitiation }
        if let greatest = peer.greatestStamp, authentic.stamp <= greatest { return .replayedInitiation }
        if let last = peer.lastInitiationTaken, now - last < Protocol.initiationSpacing { return .tooManyInitiations }
        peer.greatestStamp = authentic.stamp
        peer.lastInitiationTaken = now
        // One handshake at a time for a peer, and the newest counts (P-2.18).
        abandonHandshake(peer)
        roam(peer, path)
        peer.received += UInt64(Initiation.size)
        sendResponse(authentic, peer, now)
        peer.timers.authenticatedReceived(now)
        schedule(peer)
        return nil
    }

    private func sendResponse(_ initiation: consuming AuthenticInitiation, _ peer: Peer, _ now: Instant) {
        guard let path = peer.path else { return }
        let remoteIndex = initiation.senderIndex
        let localIndex = index.draw(environment)
        var message = Outgoing(peer: peer.id, path: path, count: Response.size)
        var pending: AuthenticInitiation? = consume initiation
        let keys = unsafe message.withBytes { bytes -> SessionKeys? in
            guard let initiation = pending.take() else { return nil }
            let keys = unsafe initiation.respond(
                localIndex: localIndex, presharedKey: peer.presharedKey, entropy: environment.entropy, into: bytes)
            if keys != nil { unsafe peer.macs.seal(bytes, mac1: Response.mac1, now) }
            return keys
        }
        guard let keys else { return }
        let keypair = Keypair(
            keys, isInitiator: false, localIndex: localIndex, remoteIndex: remoteIndex, peer: peer.id,
            aead: environment.aead, now: now)
        index.insert(keypair)
        retire(peer.keypairs.install(responded: keypair))
        peer.timers.sessionDerived(now, jitter: jitter())
        peer.lastHandshakeSent = now
        send(message, to: peer, now)
    }

    /// A message of type 2 with its full length and a good mac1.
    package func consume(response message: UnsafeRawPointer, from path: Path, _ now: Instant) -> Rejection? {
        let receiver = unsafe littleEndian32(message, Response.receiver)
        guard let slot = index.handshake(receiver), let peer = peers[slot] else { return .unknownReceiver }
        let remoteIndex = unsafe littleEndian32(message, Response.sender)
        guard let keys = unsafe peer.handshake?.consume(response: message, identity, presharedKey: peer.presharedKey)
        else { return .invalidResponse }
        // The handshake's index goes on as the session's.
        peer.handshake = nil
        let keypair = Keypair(
            keys, isInitiator: true, localIndex: receiver, remoteIndex: remoteIndex, peer: peer.id,
            aead: environment.aead, now: now)
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
        guard let path = peer.path else { return }
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
