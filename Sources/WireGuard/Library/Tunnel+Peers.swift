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
    ///   - now: this moment.
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
        guard directory.count < Limits.peers else { throw .tooManyPeers }
        let (id, handle) = directory.add()
        engine.add(
            PeerConfiguration(
                id: id, publicKey: publicKey.key, presharedKey: presharedKey.key.copy(),
                endpoint: endpoint?.endpoint, persistentKeepalive: interval),
            now)
        settle()
        return handle
    }

    /// Forgets a peer, wipes its keys and drops what waits for it. Outputs that are there stay.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func removePeer(_ peer: PeerHandle) throws(TunnelError) {
        let id = try known(peer).id
        engine.remove(id)
        dropStaged(of: id, .peerRemoved)
        directory.remove(peer)
    }

    /// The peer with this public key; nil when there is none.
    public func peer(_ publicKey: PublicKey) -> PeerHandle? { engine.peer(publicKey.key).map { directory[$0.id] } }

    /// All peers, in no particular order.
    public var peers: [PeerHandle] { engine.peers.compactMap { $0.map { directory[$0.id] } } }

    /// How a peer stands.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func status(of peer: PeerHandle) throws(TunnelError) -> PeerStatus {
        let peer = try known(peer)
        return PeerStatus(
            publicKey: PublicKey(peer.publicKey), hasPresharedKey: peer.remote.hasPresharedKey,
            endpoint: peer.path.map { Endpoint($0.remote) },
            persistentKeepalive: Duration(peer.timers.persistentInterval),
            lastHandshake: peer.lastHandshake.map { WallTime($0) },
            hasSession: peer.keypairs.current.map { !$0.isExpired(now) } ?? false, bytesReceived: peer.received,
            bytesSent: peer.sent, packetsStaged: staged[peer.id]?.queue.count ?? 0)
    }

    /// Sends to the peer there from now on, until it is heard from elsewhere. One with a persistent keepalive is greeted.
    ///
    /// - Throws: ``TunnelError/unknownPeer``.
    public func setEndpoint(of peer: PeerHandle, to endpoint: Endpoint, at now: Instant) throws(TunnelError) {
        _ = move(to: now)
        engine.setEndpoint(try known(peer).id, endpoint.endpoint)
        settle()
        // The first of them, which the others follow (P-5.12).
        if try known(peer).timers.persistentInterval > .seconds(0) {
            try sendKeepalive(to: peer, at: Instant(self.now))
        }
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

    func known(_ handle: PeerHandle) throws(TunnelError) -> Peer {
        guard let id = directory[handle], let peer = engine.peer(id) else { throw .unknownPeer }
        return peer
    }
}
