import Wire

@testable import WireGuard

/// All that an engine knows, to be compared before and after something that must change nothing.
struct EngineState: Equatable {
    struct Session: Equatable {
        let localIndex: UInt32
        let nextCounter: UInt64
        let window: [UInt8]

        init(_ keypair: Keypair) {
            localIndex = keypair.localIndex
            nextCounter = keypair.nextCounter
            window = unsafe withUnsafeBytes(of: keypair.window) { unsafe [UInt8]($0) }
        }
    }

    struct OnePeer: Equatable {
        let path: Path?
        let handshake: UInt32?
        let current, previous, next: Session?
        let timers: PeerTimers
        let lastHandshakeSent, lastInitiationTaken: Instant?
        let greatestStamp, lastStampSent: TAI64N?
        let received, sent: UInt64
        let lastHandshake: WallTime?

        init(_ peer: Peer) {
            path = peer.path
            handshake = peer.handshakeIndex
            current = peer.keypairs.current.map(Session.init)
            previous = peer.keypairs.previous.map(Session.init)
            next = peer.keypairs.next.map(Session.init)
            timers = peer.timers
            lastHandshakeSent = peer.lastHandshakeSent
            lastInitiationTaken = peer.remote.lastInitiationTaken
            greatestStamp = peer.remote.greatestStamp
            lastStampSent = peer.lastStampSent
            received = peer.received
            sent = peer.sent
            lastHandshake = peer.lastHandshake
        }
    }

    let peers: [OnePeer]
    let indices: Int
    let nextDeadline: Instant

    init(_ engine: Engine) {
        peers = engine.peers.compactMap { $0.map(OnePeer.init) }
        indices = engine.index.count
        nextDeadline = engine.nextDeadline
    }
}

extension Peer {
    /// The index of the handshake that is out.
    var handshakeIndex: UInt32? { handshake?.localIndex }
}
