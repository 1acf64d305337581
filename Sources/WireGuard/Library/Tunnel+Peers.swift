import Crypto
import Wire

extension Tunnel {
    /// The longest interval of keepalives: 65,535 s.
    private static let longestKeepalive = Duration.seconds(65_535)

    /// Adds a peer. One with a persistent keepalive and an endpoint is greeted at once.
    ///
    /// - Parameters:
    ///   - publicKey: who it is.
    ///   - presharedKey: what both sides may have beside their key pairs; it has to be the same on both.
    ///   - endpoint: where it is to be found before it has been heard of; nil when it is the one that begins.
    ///   - persistentKeepalive: how often something is sent even if there is nothing to say, to keep a NAT's or
    ///     firewall's mapping: 1…65,535 s, zero for never. 25 s suits most.
    /// - Throws: ``TunnelError/duplicatePeer(_:)``, ``TunnelError/ownPublicKey``, ``TunnelError/tooManyPeers``,
    ///   ``TunnelError/keepaliveOutOfRange``.
    public func addPeer(
        publicKey: PublicKey, presharedKey: borrowing PresharedKey = .absent, endpoint: Endpoint? = nil,
        persistentKeepalive: Duration = .zero, at now: Instant
    ) throws(TunnelError) -> PeerHandle {
        let now = move(to: now)
        let interval = try Self.interval(persistentKeepalive)
        guard publicKey != self.publicKey else { throw .ownPublicKey }
        if let there = peer(publicKey) { throw .duplicatePeer(there) }
        guard peerCount < Limits.peers else { throw .tooManyPeers }
        let id = freshID()
        engine.add(
            PeerConfiguration(
                id: id, publicKey: publicKey.key, presharedKey: presharedKey.key.copy(),
                endpoint: endpoint?.endpoint, persistentKeepalive: interval),
            now)
        peerCount += 1
        settle()
        return handle(id)
    }

    /// Forgets a peer, wipes its keys and drops what waits for it. Outputs that are there stay.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func removePeer(_ peer: PeerHandle) throws(TunnelError) {
        let id = try known(peer).id
        engine.remove(id)
        dropStaged(of: id, .peerRemoved)
        peerCount -= 1
    }

    /// The peer with this public key; nil when there is none.
    public func peer(_ publicKey: PublicKey) -> PeerHandle? { engine.peer(publicKey.key).map { handle($0.id) } }

    /// All peers, in no particular order.
    public var peers: [PeerHandle] { engine.peers.compactMap { $0.map { handle($0.id) } } }

    /// How a peer stands.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func status(of peer: PeerHandle) throws(TunnelError) -> PeerStatus {
        let peer = try known(peer)
        return PeerStatus(
            publicKey: PublicKey(peer.publicKey), hasPresharedKey: !peer.presharedKey.isAbsent,
            endpoint: peer.path.map { Endpoint($0.remote) },
            persistentKeepalive: Duration(peer.timers.persistentInterval),
            lastHandshake: peer.lastHandshake.map { WallTime($0) },
            hasSession: peer.keypairs.current.map { !$0.isExpired(now) } ?? false, bytesReceived: peer.received,
            bytesSent: peer.sent, packetsStaged: staged[peer.id]?.queue.count ?? 0)
    }

    /// Sends to the peer there from now on, until it is heard from elsewhere.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func setEndpoint(of peer: PeerHandle, to endpoint: Endpoint, at now: Instant) throws(TunnelError) {
        _ = move(to: now)
        engine.setEndpoint(try known(peer).id, endpoint.endpoint)
        settle()
    }

    /// The next handshake uses the key (``PresharedKey/absent`` for none); the session goes on.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func setPresharedKey(of peer: PeerHandle, to key: borrowing PresharedKey) throws(TunnelError) {
        engine.setPresharedKey(try known(peer).id, key.key.copy())
    }

    /// 1…65,535 s, or zero for never. Switched on, the first keepalive goes out at once.
    ///
    /// - Throws: ``TunnelError/unknownPeer``, ``TunnelError/keepaliveOutOfRange``.
    public func setPersistentKeepalive(
        of peer: PeerHandle, to interval: Duration, at now: Instant
    ) throws(TunnelError) {
        let now = move(to: now)
        let interval = try Self.interval(interval)
        engine.setPersistentKeepalive(try known(peer).id, interval, now)
        settle()
    }

    // MARK: The parts

    private static func interval(_ keepalive: Duration) throws(TunnelError) -> Interval {
        guard keepalive == .zero || (.seconds(1)...longestKeepalive).contains(keepalive) else {
            throw .keepaliveOutOfRange
        }
        return Interval(keepalive)
    }

    func handle(_ id: PeerID) -> PeerHandle { PeerHandle(tunnel: number, id: id) }

    func known(_ handle: PeerHandle) throws(TunnelError) -> Peer {
        guard handle.tunnel == number, let peer = engine.peer(handle.id) else { throw .unknownPeer }
        return peer
    }

    /// Not used again before 2³¹ others have been, so that an old handle finds nobody.
    private func freshID() -> PeerID {
        var id: PeerID
        repeat {
            lastPeer = lastPeer == .max ? 0 : lastPeer + 1
            id = PeerID(Int(lastPeer))
        } while engine.peer(id) != nil
        return id
    }
}
