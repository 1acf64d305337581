import Crypto
import Wire

/// What the file says of a peer, as far as the protocol is concerned.
package struct PeerConfiguration: ~Copyable, Sendable {
    package let id: PeerID
    package let publicKey: PublicKey
    package let presharedKey: PresharedKey
    /// Where it is to be found before it has been heard of; nil when only it can begin.
    package let endpoint: Endpoint?
    /// 0 switches it off.
    package let persistentKeepalive: Interval
    /// Whether each initiation that goes unanswered is told of (`PeerEvent.initiationUnanswered`).
    package let reportsSilence: Bool

    package init(
        id: PeerID, publicKey: PublicKey, presharedKey: consuming PresharedKey = PresharedKey(),
        endpoint: Endpoint? = nil, persistentKeepalive: Interval = .seconds(0), reportsSilence: Bool = false
    ) {
        self.reportsSilence = reportsSilence
        self.id = id
        self.publicKey = publicKey
        self.presharedKey = presharedKey
        self.endpoint = endpoint
        self.persistentKeepalive = persistentKeepalive
    }
}

/// All that one worker knows of one peer of its.
package final class Peer {
    package let id: PeerID
    /// Its place in the engine's list and on its wheel.
    let slot: Int
    /// What handshakes know of it, on other threads too.
    let remote: RemotePeer
    var publicKey: PublicKey { remote.publicKey }

    /// Where it was heard last, or is configured to be (P-6.1), and which address of ours it knows (P-6.2).
    package internal(set) var path: Path?
    /// Whether the log knows that the way to where it is leads through itself.
    var isLoopReported = false
    /// The initiation that is out, or on its way there.
    var handshake: HandshakeUnderWay?
    var keypairs = Keypairs()
    /// The one to seal with: it stays for as long as nothing comes in and no time passes.
    package var session: Keypair? { keypairs.current }
    var timers = PeerTimers()
    /// Made when there is a first handshake message.
    lazy var macs = OutgoingMACs(peer: publicKey)

    /// When a handshake message was last sent to it: they keep 5 s apart (P-2.10).
    var lastHandshakeSent: Instant?
    /// The stamp of its last initiation that was answered: a later one may have been computed first.
    var lastStampAnswered: TAI64N?
    /// The stamp of our last initiation: they must grow.
    var lastStampSent: TAI64N?
    /// A receiver asks for a new session once in the life of the old one (P-5.7).
    var askedToRekeyOnReceive = false

    var reportsSilence: Bool

    var received: UInt64 = 0
    var sent: UInt64 = 0
    var lastHandshake: WallTime?
    /// The same on the clock that is not set.
    var lastCompleted: Instant?

    init(_ configuration: consuming PeerConfiguration, slot: Int) {
        id = configuration.id
        self.slot = slot
        reportsSilence = configuration.reportsSilence
        path = configuration.endpoint.map { Path(remote: $0) }
        timers.persistentInterval = configuration.persistentKeepalive
        remote = RemotePeer(configuration.publicKey, presharedKey: configuration.presharedKey.copy())
    }
}

/// Where a handshake of ours stands.
enum HandshakeUnderWay {
    /// The initiation is being computed.
    case computing(localIndex: UInt32)
    /// It went out, and waits for its response.
    case sent(InitiatedHandshake)

    var localIndex: UInt32 {
        switch self {
        case .computing(let index): index
        case .sent(let handshake): handshake.localIndex
        }
    }
}

/// A peer's state at one moment, for `show` and metrics.
package struct PeerSnapshot: Sendable {
    package let id: PeerID
    package let publicKey: PublicKey
    package let hasPresharedKey: Bool
    /// Where its messages go, and the source kept for them.
    package let path: Path?
    package let persistentKeepalive: Interval
    package let lastHandshake: WallTime?
    /// UDP payload bytes of authentic messages (P-4.24).
    package let received: UInt64
    package let sent: UInt64
    /// Whether a session stands that may be sent with.
    package let hasSession: Bool

    init(_ peer: Peer, _ now: Instant) {
        id = peer.id
        publicKey = peer.publicKey
        hasPresharedKey = peer.remote.hasPresharedKey
        path = peer.path
        persistentKeepalive = peer.timers.persistentInterval
        lastHandshake = peer.lastHandshake
        received = peer.received
        sent = peer.sent
        hasSession = peer.keypairs.current.map { $0.maySend(now) } ?? false
    }
}
