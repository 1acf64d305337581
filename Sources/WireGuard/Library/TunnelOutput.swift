import Wire

extension Tunnel {
    /// Something for the caller to do, in the order in which it came about.
    public enum Output: Hashable, Sendable {
        /// Send these bytes as one UDP datagram.
        case send([UInt8], to: Endpoint)
        /// This IP packet came out of the tunnel, its padding cut off. Its source address is the peer's claim: look
        /// whether the peer may use it before you pass the packet on.
        case deliver([UInt8], from: PeerHandle)
        /// Something has changed with a peer; for logs and for those who wait for it.
        case event(Event, of: PeerHandle)
    }

    /// A change in a peer's state.
    public enum Event: Hashable, Sendable {
        /// A session stands; `initiator` when this side began the handshake.
        case handshakeCompleted(initiator: Bool)
        /// Nobody answered for 90 s; what waited for the peer is dropped. The next packet starts anew.
        case handshakeGivenUp
        /// An authentic message came from another address; the peer is answered there from now on.
        case endpointChanged(Endpoint)
        /// No new session for 540 s: the old ones' keys are wiped.
        case keysWiped
        /// The peer's clock is more than ten minutes ahead of ours. Once it is set back, its handshakes fail until it
        /// has caught up: a time stamp that was taken is the least that counts.
        case clockFarAhead
    }
}

extension Tunnel.Event {
    /// nil for what a tunnel does not look for: it never sees the outer packets.
    init?(_ event: PeerEvent) {
        switch event {
        case .handshakeCompleted(let initiator): self = .handshakeCompleted(initiator: initiator)
        case .handshakeGivenUp: self = .handshakeGivenUp
        case .endpointChanged(let endpoint): self = .endpointChanged(Tunnel.Endpoint(endpoint))
        case .keysWiped: self = .keysWiped
        case .stampFromTheFuture: self = .clockFarAhead
        case .endpointInTunnel, .initiationUnanswered: return nil
        }
    }
}

/// Outputs in the order in which they came about. Taking one costs the same however many there are.
struct TunnelOutputs {
    private var waiting: [Tunnel.Output?] = []
    private var first = 0

    var count: Int { waiting.count - first }

    mutating func append(_ output: Tunnel.Output) { waiting.append(output) }

    mutating func popFirst() -> Tunnel.Output? {
        guard first < waiting.count else { return nil }
        let output = waiting[first].take()
        first += 1
        // Each removal is paid for by the taking of as many.
        if first == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            first = 0
        } else if first > waiting.count / 2 {
            waiting.removeFirst(first)
            first = 0
        }
        return output
    }
}
