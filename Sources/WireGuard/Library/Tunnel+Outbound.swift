import Wire

extension Tunnel {
    /// What became of a packet that was to be sent.
    public enum Sending: Hashable, Sendable {
        /// It is among the outputs, sealed.
        case sealed
        /// There is no session yet: it waits for one, for which a handshake is under way.
        case staged
    }

    /// Sends an IP packet to a peer.
    ///
    /// Bytes behind the length that the packet declares are not sent. Without a session the packet waits, among at
    /// most ``stagedPacketBound``, until the handshake succeeds or is given up after 90 s.
    ///
    /// - Parameters:
    ///   - packet: a whole IPv4 or IPv6 packet of at most ``largestPacket`` bytes.
    ///   - peer: whom it goes to.
    ///   - now: this moment.
    /// - Throws: ``TunnelError/unknownPeer``, ``TunnelError/malformedPacket``, ``TunnelError/packetTooLarge``,
    ///   ``TunnelError/noEndpoint``, ``TunnelError/outputsNotTaken``.
    @discardableResult
    public func send(_ packet: Span<UInt8>, to peer: PeerHandle, at now: Instant) throws(TunnelError) -> Sending {
        _ = move(to: now)
        let peer = try known(peer)
        guard case .success(let length) = unsafe packet.withUnsafeBytes({ unsafe InnerPacket.length(of: $0) }) else {
            throw .malformedPacket
        }
        guard length <= Self.largestPacket else { throw .packetTooLarge }
        guard peer.path != nil else { throw .noEndpoint }
        guard !outputsAreFull else { throw .outputsNotTaken }
        let packet = packet.extracting(first: length)
        // What waits goes first, so that the order holds.
        let sealed = staged[peer.id] == nil && seal(packet, for: peer)
        if !sealed { stage(unsafe packet.withUnsafeBytes { unsafe [UInt8]($0) }, for: peer.id) }
        settle()
        return sealed ? .sealed : .staged
    }

    /// Sends an IP packet to a peer: the same for an array.
    @discardableResult
    public func send(_ packet: [UInt8], to peer: PeerHandle, at now: Instant) throws(TunnelError) -> Sending {
        try send(packet.span, to: peer, at: now)
    }

    /// Sends a message without content, which keeps the way open; without a session, begins a handshake.
    ///
    /// - Throws: ``TunnelError/unknownPeer``, ``TunnelError/noEndpoint``.
    public func sendKeepalive(to peer: PeerHandle, at now: Instant) throws(TunnelError) {
        let now = move(to: now)
        let peer = try known(peer)
        guard peer.path != nil else { throw .noEndpoint }
        engine.sendKeepalive(to: peer.id, now)
        settle()
    }

    // MARK: The parts

    /// False when there is no session: a handshake has been asked for then.
    private func seal(_ packet: Span<UInt8>, for peer: Peer) -> Bool {
        guard let path = peer.path else { return false }
        guard let session = peer.session, let counter = session.takeCounters(1, now) else {
            engine.wantSession(peer, now)
            return false
        }
        let count = packet.count
        let padded = min(paddedLength(count, mtu: mtu), Self.largestPacket)
        unsafe packet.withUnsafeBytes { unsafe scratch.load($0, zeros: padded - count) }
        unsafe session.seal(counter, scratch.source, padded, to: scratch.destination)
        let message = scratch.result(padded + DataMessage.overhead)
        put(.send(message, to: Endpoint(path.remote)))
        engine.sent(peer, bytes: message.count, now)
        statistics.packetsSealed += 1
        return true
    }

    private func stage(_ packet: [UInt8], for peer: PeerID) {
        let waiting = staged[peer] ?? Staged()
        staged[peer] = waiting
        if waiting.queue.append(packet) != nil { count(.stagedTooMany) }
    }

    /// There is a session: what waits for it goes out, or a keepalive to confirm it.
    func release(_ peer: PeerID, orConfirm: Bool) {
        guard let peer = engine.peer(peer) else { return }
        guard let waiting = staged[peer.id] else {
            if orConfirm { engine.sendKeepalive(to: peer.id, now) }
            return
        }
        while let packet = waiting.queue.popFirst() {
            guard seal(packet.span, for: peer) else { return waiting.queue.putBack(packet) }
        }
        staged[peer.id] = nil
    }

    func dropStaged(of peer: PeerID, _ reason: Drop) {
        guard let waiting = staged.removeValue(forKey: peer) else { return }
        while waiting.queue.popFirst() != nil { count(reason) }
    }
}
