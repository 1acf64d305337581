import Wire

// A peer's messages that come back as packets for the same peer, because the route to its endpoint leads into its own
// tunnel (N-25). By way of another peer of the interface they may well go (N-24).
extension Engine {
    /// Whether a packet for the peer, with its endpoint's address and perhaps its `port`, is itself a message of ours to the
    /// peer. Sealed it would only come back once more, and larger.
    ///
    /// The indices tell: nobody else's datagrams have them, though they may go to the same place.
    package func isOwnMessage(_ ip: IPPacket, to peer: Peer, _ port: UInt16) -> Bool {
        guard ip.nextProtocol == IPProtocol.udp, !ip.isFragment else { return false }
        let payload = ip.headerLength + UDPField.length
        guard ip.count >= payload + Self.indexEnd else { return false }
        let datagram = unsafe ip.start + ip.headerLength
        guard unsafe datagram.networkWord(at: UDPField.destinationPort) == port else { return false }
        let message = unsafe datagram + UDPField.length
        let index = unsafe littleEndian32(message, DataMessage.receiver)
        // The length is not looked at: of a super-packet it is that of many messages.
        switch MessageType(rawValue: unsafe littleEndian32(message, 0)) {
        case .data: return peer.keypairs.hasRemoteIndex(index)
        case .initiation: return peer.handshake?.localIndex == index
        case .response: return keypair(index)?.peer == peer.id
        case .cookieReply, nil: return false
        }
    }

    /// Behind the type and the first index of a message.
    private static let indexEnd = 8

    /// Tells the log, once for each endpoint.
    package func reportLoop(of peer: Peer) {
        guard !peer.isLoopReported, let path = peer.path else { return }
        peer.isLoopReported = true
        outbox.note(peer.id, .endpointInTunnel(path.remote))
    }
}
