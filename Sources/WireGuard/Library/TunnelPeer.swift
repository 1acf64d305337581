extension Tunnel {
    /// What a peer is called from ``addPeer(publicKey:presharedKey:endpoint:persistentKeepalive:at:)`` on.
    ///
    /// Of use with the tunnel that gave it and for as long as the peer is there; anything else is
    /// ``TunnelError/unknownPeer``.
    public struct PeerHandle: Hashable, Sendable {
        /// Given once in a process, so that it means nothing to another tunnel or when its peer is gone. Never 0.
        let serial: UInt64

        /// The same as a number, for languages that have no such type.
        public var rawValue: UInt64 { serial }

        /// The handle that a number was made of; any other number is nobody's.
        public init(rawValue: UInt64) { serial = rawValue }

        init(serial: UInt64) { self.serial = serial }
    }

    /// How a peer stands.
    public struct PeerStatus: Sendable {
        /// The key that it is known by.
        public let publicKey: PublicKey
        /// Whether a preshared key is set.
        public let hasPresharedKey: Bool
        /// Where its datagrams go: where it was heard last, or was said to be; nil while nobody knows.
        public let endpoint: Endpoint?
        /// Zero when switched off.
        public let persistentKeepalive: Duration
        /// When a handshake last came to its end.
        public let lastHandshake: WallTime?
        /// Whether there is a session that may be sent with.
        public let hasSession: Bool
        /// UDP payload bytes of authentic messages from the peer.
        public let bytesReceived: UInt64
        /// UDP payload bytes of messages to the peer.
        public let bytesSent: UInt64
        /// Packets that wait for a session.
        public let packetsStaged: Int
    }
}
