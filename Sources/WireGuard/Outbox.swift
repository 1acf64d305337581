import Wire

/// A handshake message or keepalive to send.
package struct Outgoing: Sendable {
    package let peer: PeerID
    package let path: Path
    package let count: Int
    /// What the outer header is to say: handshakes are worth a place in front (P-4.20), all else is nothing special.
    package let trafficClass: UInt8
    private var bytes = InlineArray<148, UInt8>(repeating: 0)

    init(peer: PeerID, path: Path, count: Int, trafficClass: UInt8 = 0) {
        precondition(count <= Initiation.size)
        self.peer = peer
        self.path = path
        self.count = count
        self.trafficClass = trafficClass
    }

    mutating func withBytes<Result: ~Copyable>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
        unsafe withUnsafeMutableBytes(of: &bytes) { unsafe body($0.baseAddress.unsafelyUnwrapped) }
    }

    /// Lends the `count` bytes.
    @safe package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe withUnsafeBytes(of: bytes) { unsafe body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    /// Copies the `count` bytes to where they are sent from.
    package func copy(to destination: UnsafeMutableRawPointer) {
        unsafe withUnsafeBytes(of: bytes) {
            unsafe destination.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: count)
        }
    }
}

/// What an engine wants done, in order.
package struct Outbox: Sendable {
    package enum Action: Sendable {
        case send(Outgoing)
        /// Run this on whatever thread, and give the result to `Engine.finish`.
        case compute(InitiationTask)
        /// There is a session now: seal what is staged for the peer. `orConfirm`: a keepalive if there is nothing.
        case release(PeerID, orConfirm: Bool)
        /// Nobody answers: drop what is staged for the peer.
        case purge(PeerID)
        /// For the log.
        case note(PeerID, PeerEvent)

        /// The peer that it is about.
        package var peer: PeerID {
            switch self {
            case .send(let message): message.peer
            case .compute(let task): task.peer
            case .release(let peer, _), .purge(let peer), .note(let peer, _): peer
            }
        }
    }

    private var actions: [Action] = []

    package var isEmpty: Bool { actions.isEmpty }

    /// Everything so far; the outbox is empty then.
    package mutating func take() -> [Action] {
        defer { actions = [] }
        return actions
    }

    mutating func compute(_ task: InitiationTask) { actions.append(.compute(task)) }
    mutating func send(_ message: Outgoing) { actions.append(.send(message)) }
    mutating func release(_ peer: PeerID, orConfirm: Bool = false) {
        actions.append(.release(peer, orConfirm: orConfirm))
    }
    mutating func purge(_ peer: PeerID) { actions.append(.purge(peer)) }
    mutating func note(_ peer: PeerID, _ event: PeerEvent) { actions.append(.note(peer, event)) }
}

/// A change in a peer's state, one log line each.
package enum PeerEvent: Sendable, Equatable {
    case handshakeCompleted(initiator: Bool)
    case handshakeGivenUp
    /// An initiation was not answered in time; the last handshake that was is so long ago, nil for never. Only of peers
    /// that were added as such (`PeerConfiguration.reportsSilence`).
    case initiationUnanswered(handshakeAge: Interval?)
    case endpointChanged(Endpoint)
    case keysWiped
    /// What goes to this endpoint comes back as something to be sent to the same peer.
    case endpointInTunnel(Endpoint)
    /// An initiation was taken whose time stamp is far ahead of our clock.
    case stampFromTheFuture
}
