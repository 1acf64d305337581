import Crypto
import Wire

/// The protocol for the peers of one interface that one worker owns: sessions, handshakes, timers.
///
/// Sans I/O and without a clock. Bytes and moments go in; what is to be sent or done comes out of `outbox`. Sealing and
/// opening of data run on the caller's buffers through `Keypair`, which gives out the counters; the engine keeps the books:
/// it is told what went out (`sent`) and what came in (`received`) once for each run of messages.
package final class Engine {
    /// Who the interface is, and all of its peers, those of other workers included.
    package let directory: PeerDirectory
    /// Who the interface was when `identityChanged` was last called: for what is looked at too often to take the
    /// directory's lock.
    var identity: Identity?
    let environment: Environment
    let peers = PeerList()
    var index = IndexTable()
    var wheel: TimerWheel
    /// Messages to send and other things that the caller has to do; it takes them all after each call.
    package var outbox = Outbox()
    /// Whether the interface is up. While it is not, nothing is sent and no timer runs (P-5.11, P-9.1).
    package internal(set) var isUp = true

    /// What the engine gets from outside.
    package struct Environment: Sendable {
        package var aead: AEAD
        package var entropy: Entropy
        /// Read for time stamps and for people only.
        package var wallTime: @Sendable () -> WallTime
        /// Which receiver indices are this worker's.
        package var indices: IndexSpace
        package var worker: Int

        package init(
            aead: AEAD = .libsodium, entropy: Entropy = .system, wallTime: @escaping @Sendable () -> WallTime,
            indices: IndexSpace, worker: Int = 0
        ) {
            self.aead = aead
            self.entropy = entropy
            self.wallTime = wallTime
            self.indices = indices
            self.worker = worker
        }
    }

    /// An engine of one worker among several, who share `directory`.
    package init(_ directory: PeerDirectory, _ environment: Environment, now: Instant) {
        self.directory = directory
        identity = directory.identity
        self.environment = environment
        wheel = TimerWheel(now: now)
    }

    /// What sessions seal and open with.
    package var aead: AEAD { environment.aead }

    /// An engine that has all peers of the interface.
    package convenience init(_ identity: Identity, _ environment: Environment, now: Instant) {
        self.init(PeerDirectory(identity), environment, now: now)
    }

    // MARK: Peers

    /// Adds a peer that is not there yet. One with a persistent keepalive and a known endpoint is greeted at once
    /// (P-5.12).
    package func add(_ configuration: consuming PeerConfiguration, _ now: Instant) {
        let peer = Peer(configuration, slot: peers.freeSlot)
        peers.insert(peer)
        directory.insert(PeerDirectory.Entry(id: peer.id, worker: environment.worker, remote: peer.remote))
        greet(peer, now)
    }

    /// The first keepalive of a peer that is to get them, once it is known where (P-5.12).
    func greet(_ peer: Peer, _ now: Instant) {
        guard isUp else { return }
        if peer.timers.persistentInterval.nanoseconds > 0, peer.path != nil {
            peer.timers.setPersistentInterval(peer.timers.persistentInterval, now)
            sendKeepalive(peer, now)
        }
        schedule(peer)
    }

    /// Forgets a peer and wipes its keys; the caller drops what it has staged for it.
    package func remove(_ id: PeerID) {
        guard let peer = peer(id) else { return }
        directory.remove(peer.publicKey)
        wipe(peer)
        peer.timers.stop()
        wheel.set(peer.slot, .never)
        peers.remove(peer)
    }

    /// A peer, to be asked for once a run of packets; nil when it is not this worker's.
    package func peer(_ id: PeerID) -> Peer? { peers[id] }

    func peer(_ key: PublicKey) -> Peer? { directory[key].flatMap { peers[$0.id] } }

    /// The peers in no particular order, each as it stands.
    package func snapshot(_ now: Instant) -> [PeerSnapshot] { snapshot(now, from: 0, limit: .max).peers }

    /// Up to `limit` of them, beginning with the `first`th place; the place to go on with, nil when that was all.
    package func snapshot(
        _ now: Instant, from first: Int, limit: Int
    ) -> (peers: [PeerSnapshot], next: Int?) {
        var snapshots: [PeerSnapshot] = []
        for slot in peers.indices.dropFirst(first) {
            guard snapshots.count < limit else { return (snapshots, slot) }
            if let peer = peers[slot] { snapshots.append(PeerSnapshot(peer, now)) }
        }
        return (snapshots, nil)
    }

    // MARK: Outbound data

    /// Where a peer's messages go; nil while that is not known.
    package func path(to id: PeerID) -> Path? { peer(id)?.path }

    /// The peer has no session, or one that gives out no counters any more: asks for a handshake. The caller stages what it
    /// cannot seal.
    package func wantSession(_ peer: Peer, _ now: Instant) {
        wantHandshake(peer, now)
        schedule(peer)
    }

    /// Data messages of `bytes` UDP payload bytes together went out to the peer.
    package func sent(_ peer: Peer, bytes: Int, _ now: Instant) {
        peer.sent += UInt64(bytes)
        peer.timers.authenticatedSent(now)
        peer.timers.dataSent(now)
        if let current = peer.keypairs.current, current.wantsRekeyOnSend(now) { wantHandshake(peer, now) }
        schedule(peer)
    }

    // MARK: Inbound data

    /// The session that a data message with this receiver index belongs to.
    package func keypair(_ receiverIndex: UInt32) -> Keypair? { index.keypair(receiverIndex) }

    /// Authentic data messages came in on `keypair`: `bytes` of UDP payload together, of which `packets` messages were
    /// more than keepalives. Runs before what they carry is looked at (P-4.10).
    package func received(on keypair: Keypair, from path: Path, bytes: Int, packets: Int, _ now: Instant) {
        guard let peer = peer(keypair.peer) else { return }
        roam(peer, path)
        peer.received += UInt64(bytes)
        if let retired = peer.keypairs.confirm(keypair) {
            retire(retired)
            completed(peer, now, initiator: false)
            outbox.release(peer.id)
        }
        if !peer.askedToRekeyOnReceive, let current = peer.keypairs.current, current.wantsRekeyOnReceive(now) {
            peer.askedToRekeyOnReceive = true
            wantHandshake(peer, now)
        }
        peer.timers.authenticatedReceived(now)
        // The timer tells one packet from more than one.
        for _ in 0..<min(packets, 2) { peer.timers.dataReceived(now) }
        schedule(peer)
    }

    /// The kernel would not send from the address kept for the peer: let it choose another (P-6.3).
    package func sourceGone(_ id: PeerID) { peer(id)?.path?.local = nil }

    // MARK: Time

    /// When `expire` is next worth calling.
    package var nextDeadline: Instant { wheel.nextDeadline }

    /// Does what the timers demand by `now`.
    package func expire(_ now: Instant) {
        var due: [Int] = []
        wheel.expire(now) { due.append($0) }
        for slot in due {
            guard let peer = peers[slot] else { continue }
            while let expiry = peer.timers.expire(now) { act(on: expiry, peer, now) }
            schedule(peer)
        }
    }

    private func act(on expiry: PeerTimers.Expiry, _ peer: Peer, _ now: Instant) {
        switch expiry {
        case .retransmit:
            // No answer may mean that the source we use has gone bad (P-6.3).
            peer.path?.local = nil
            sendInitiation(peer, now)
        case .giveUp:
            outbox.purge(peer.id)
            outbox.note(peer.id, .handshakeGivenUp)
        case .keepalive:
            sendKeepalive(peer, now)
            peer.timers.keepaliveSent(now)
        case .persistentKeepalive:
            sendKeepalive(peer, now)
        case .newHandshake:
            peer.path?.local = nil
            wantHandshake(peer, now)
        case .zeroKeys:
            wipe(peer)
            outbox.note(peer.id, .keysWiped)
        }
    }

    // MARK: Shared by the parts of the engine

    /// Puts the peer on the wheel at its earliest timer. Later ones need nothing: the wheel asks again when it fires.
    func schedule(_ peer: Peer) {
        guard isUp else { return }
        let earliest = peer.timers.earliest
        if earliest < wheel[peer.slot] { wheel.set(peer.slot, earliest) }
    }

    /// Follows the peer to where an authentic message came from (P-6.1), and answers from where it arrived (P-6.2).
    func roam(_ peer: Peer, _ path: Path) {
        guard peer.path != path else { return }
        if peer.path?.remote != path.remote {
            peer.isLoopReported = false
            outbox.note(peer.id, .endpointChanged(path.remote))
        }
        peer.path = path
    }

    func completed(_ peer: Peer, _ now: Instant, initiator: Bool) {
        peer.timers.handshakeCompleted()
        peer.askedToRekeyOnReceive = false
        peer.lastHandshake = environment.wallTime()
        peer.lastCompleted = now
        outbox.note(peer.id, .handshakeCompleted(initiator: initiator))
    }

    func retire(_ keypairs: [Keypair]) {
        for keypair in keypairs { index.remove(keypair.localIndex) }
    }

    func wipe(_ peer: Peer) {
        abandonHandshake(peer)
        retire(peer.keypairs.removeAll())
    }

    func abandonHandshake(_ peer: Peer) {
        if let underWay = peer.handshake.take() { index.remove(underWay.localIndex) }
    }

    /// Uniform in 0…1/3 s.
    func jitter() -> Interval {
        Interval(nanoseconds: environment.entropy.uint64() % Protocol.jitterBound.nanoseconds)
    }
}
