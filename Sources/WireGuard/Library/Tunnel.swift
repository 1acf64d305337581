import Crypto
import Wire

/// WireGuard for a program of its own: one end of tunnels to any number of peers.
///
/// A tunnel does no I/O, reads no clock and has no threads. It is given bytes and moments, and gives back what is to be
/// done with ``nextOutput()``: datagrams to send, packets that came in, events. It never calls back. Whoever has it
///
/// 1. gives it IP packets for a peer with ``send(_:to:at:)-(Span<UInt8>,_,_)`` and datagrams from the socket with
///    ``receive(_:from:at:)-(Span<UInt8>,_,_)``;
/// 2. calls ``advance(to:)`` when ``nextDeadline`` has come;
/// 3. takes all outputs after each of these.
///
/// Two tunnels that talk to each other, with a dictionary for a network:
///
/// ```swift
/// let aliceKey = Tunnel.PrivateKey.generate()
/// let bobKey = Tunnel.PrivateKey.generate()
/// let (alicePublic, bobPublic) = (aliceKey.publicKey, bobKey.publicKey)
/// guard let aliceAddress = Tunnel.Endpoint("192.0.2.1:51820"),
///     let bobAddress = Tunnel.Endpoint("192.0.2.2:51820")
/// else { return }
///
/// // The time is the caller's: a clock that never goes back, and what date it is when it starts.
/// var now = Tunnel.Instant(nanoseconds: 0)
/// let date = Tunnel.WallTime(seconds: 1_700_000_000)
/// let alice = Tunnel(privateKey: aliceKey, wallTime: date, at: now)
/// let bob = Tunnel(privateKey: bobKey, wallTime: date, at: now)
/// let toBob = try alice.addPeer(publicKey: bobPublic, endpoint: bobAddress, at: now)
/// _ = try bob.addPeer(publicKey: alicePublic, at: now)
///
/// // An IPv4 header and nothing behind it. There is no session yet: it waits for one.
/// let packet: [UInt8] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0x65, 0xeb, 10, 0, 0, 1, 10, 0, 0, 2]
/// try alice.send(packet, to: toBob, at: now)
///
/// // A program with sockets sends the datagrams, and waits for the next one or the earlier deadline.
/// let ends = [(alice, aliceAddress), (bob, bobAddress)]
/// var received: [(packet: [UInt8], peer: Tunnel.PeerHandle)] = []
/// while received.isEmpty {
///     for (tunnel, address) in ends {
///         tunnel.advance(to: now)
///         while let output = tunnel.nextOutput() {
///             switch output {
///             case .send(let datagram, to: let destination):
///                 for (other, place) in ends where place == destination {
///                     other.receive(datagram, from: address, at: now)
///                 }
///             case .deliver(let packet, from: let peer): received.append((packet, peer))
///             case .event(let event, of: _): print(event)
///             }
///         }
///     }
///     now = now.advanced(by: .milliseconds(10))
/// }
/// ```
///
/// A tunnel knows peers, not addresses: which peer a packet goes to, and which source addresses a peer may use in what
/// it sends, is for the caller to say (WireGuard's allowed IPs). A caller that passes on packets without looking lets
/// any peer speak for any other.
///
/// A tunnel is used by one thread at a time: an actor, a mutex or an event loop keeps it. It is complete as a peer;
/// when it is flooded with handshakes it answers as many as come, without the cookies that hold strangers off.
///
/// Sources: J. A. Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", NDSS 2017; the timers as in Linux.
public final class Tunnel {
    /// The longest IP packet that fits a UDP datagram when sealed: 65,475 bytes.
    public static let largestPacket = Limits.bytesPerRun - DataMessage.overhead
    /// How many packets are kept for a peer while there is no session; the oldest gives way to a new one.
    public static let stagedPacketBound = Limits.stagedPackets
    /// With this many outputs not taken, no data is sealed or opened.
    public static let outputBound = 4096
    /// With this many, what the tunnel would send by itself (handshakes, keepalives, packets that have waited for a session)
    /// and what it would tell of is dropped and counted too.
    public static let outputLimit = 2 * outputBound

    /// The public key that this end is known by.
    public let publicKey: PublicKey
    /// What has been done since the beginning.
    public internal(set) var statistics = Statistics()

    let engine: Engine
    let mtu: Int
    let scratch = TunnelScratch()
    var staged: [PeerID: Staged] = [:]
    var outputs = TunnelOutputs()
    /// The latest moment heard of.
    private(set) var now: Wire.Instant
    private let calendar: TunnelCalendar
    var directory = TunnelDirectory()

    /// The packets of one peer that wait for a session.
    final class Staged { var queue = StagedQueue<[UInt8]>() }

    /// A tunnel without peers.
    ///
    /// - Parameters:
    ///   - privateKey: who this end is; the tunnel keeps a copy, wiped with it. Another key needs another tunnel.
    ///   - configuration: what may be set for the tunnel as a whole.
    ///   - wallTime: the date at `now`. The tunnel counts on from there; see ``setWallTime(_:at:)``.
    ///   - now: a moment on the clock that all further moments are on.
    public init(
        privateKey: borrowing PrivateKey, configuration: Configuration = Configuration(), wallTime: WallTime,
        at now: Instant
    ) {
        let now = now.bounded
        let calendar = TunnelCalendar(wallTime, at: now)
        let entropy = configuration.randomness.entropy
        publicKey = privateKey.publicKey
        engine = Engine(
            Identity(privateKey.key.copy()),
            Engine.Environment(
                entropy: entropy, wallTime: { calendar.date }, indices: IndexSpace(workers: 1, entropy: entropy)),
            now: now)
        mtu = Int(configuration.mtu)
        self.now = now
        self.calendar = calendar
    }

    // MARK: Time

    /// When ``advance(to:)`` is to be called, if nothing else is until then; nil when there is nothing to wait for.
    ///
    /// Any call may move it: ask again after each. Timers have a grain of 4.2 ms and are never early.
    public var nextDeadline: Instant? {
        let deadline = engine.nextDeadline
        return deadline == .never ? nil : Instant(deadline)
    }

    /// Does what the protocol demands by `now`: retransmissions, keepalives, new sessions, the wiping of old keys.
    ///
    /// Every call that is given a moment does this first, so it is needed only when nothing else happens.
    public func advance(to now: Instant) { _ = move(to: now) }

    /// Says what date it is, when the system's clock was set.
    public func setWallTime(_ wallTime: WallTime, at now: Instant) {
        calendar.set(wallTime, at: move(to: now))
    }

    /// Forgets all sessions: after the machine was suspended for longer than a session lives, or is a copy of one that goes
    /// on elsewhere, no key and no counter of before may be used again. Peers and what waits for them stay.
    public func forgetSessions(at now: Instant) {
        let now = move(to: now)
        engine.forgetSessions(now)
        for peer in staged.keys { engine.seekSession(peer, now) }
        settle()
    }

    /// Time does not go back: an earlier moment than the latest counts as that one.
    func move(to moment: Instant) -> Wire.Instant {
        now = max(now, moment.bounded)
        calendar.move(to: now)
        if engine.nextDeadline <= now {
            engine.expire(now)
            settle()
        }
        return now
    }

    // MARK: Outputs

    /// The next thing to do, and no longer the tunnel's; nil when there is nothing (more) to do.
    ///
    /// Outputs that are not taken wait. With ``outputBound`` of them waiting, ``send(_:to:at:)-(Span<UInt8>,_,_)`` throws
    /// and data that comes in is dropped; handshakes go on, until ``outputLimit`` is reached.
    public func nextOutput() -> Output? { outputs.popFirst() }

    var outputsAreFull: Bool { outputs.count >= Self.outputBound }

    /// Puts out what the tunnel does of its own accord.
    func put(_ output: Output) {
        guard outputs.count < Self.outputLimit else { return count(.outputsNotTaken) }
        outputs.append(output)
    }

    /// Does what the engine wants done.
    func settle() {
        while !engine.outbox.isEmpty {
            for action in engine.outbox.take() { perform(action) }
        }
    }

    private func perform(_ action: Outbox.Action) {
        switch action {
        case .send(let message):
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: message.count) { bytes, count in
                unsafe message.copy(to: UnsafeMutableRawPointer(bytes.baseAddress.unsafelyUnwrapped))
                count = message.count
            }
            put(.send(bytes, to: Endpoint(message.path.remote)))
        case .compute(let task): engine.finish(task.run(), now)
        case .release(let peer, let orConfirm): release(peer, orConfirm: orConfirm)
        case .purge(let peer): dropStaged(of: peer, .handshakeUnanswered)
        case .note(let peer, let event):
            if let event = Event(event) { put(.event(event, of: directory[peer])) }
        }
    }

    func count(_ drop: Drop) { statistics.drops[drop, default: 0] += 1 }
}

/// A tunnel has one user at a time, whom it may be handed on to.
@available(*, unavailable)
extension Tunnel: Sendable {}
