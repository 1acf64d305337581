import Wire

extension Tunnel {
    /// Why a datagram or packet went no further. The raw value is the reason's name in logs and metrics.
    public enum Drop: String, CaseIterable, Sendable {
        // Datagrams that were not taken.

        /// No known message type, or not the length that its type has.
        case notWireGuard = "not-wireguard"
        /// Its mac1 is not of someone who knows our public key.
        case badMAC1 = "bad-mac1"
        /// No handshake or session of ours has the receiver index.
        case unknownReceiver = "unknown-receiver"
        /// An initiation that does not decrypt.
        case invalidInitiation = "invalid-initiation"
        /// An initiation from a key that is no peer of ours.
        case unknownPeer = "unknown-peer"
        /// An initiation whose time stamp is not greater than the greatest seen.
        case replayedInitiation = "replayed-initiation"
        /// Initiations of one peer less than 20 ms apart.
        case tooManyInitiations = "too-many-initiations"
        /// A response that fits no handshake under way, or does not decrypt: also what a wrong preshared key looks like.
        case invalidResponse = "invalid-response"
        /// A cookie reply that answers nothing we sent, or does not decrypt.
        case invalidCookieReply = "invalid-cookie-reply"
        /// Data of a session older than 180 s.
        case expiredKey = "expired-key"
        /// Data whose counter was seen before, or is too old to tell.
        case replayed = "replayed"
        /// Data whose tag is wrong.
        case forged = "forged"

        // Authentic data whose content is no packet.

        /// Fewer bytes than an IP header.
        case innerTooShort = "inner-too-short"
        /// Neither version 4 nor version 6.
        case innerNotIP = "inner-not-ip"
        /// A declared length less than the header, or more than there is.
        case innerLyingLength = "inner-lying-length"

        /// Data, while too many outputs wait to be taken; with ``Tunnel/outputLimit`` of them, also one more output.
        case outputsNotTaken = "outputs-not-taken"

        // Packets that waited for a session.

        /// The oldest of ``Tunnel/stagedPacketBound``, for a new one.
        case stagedTooMany = "staged-too-many"
        /// Nobody answered for 90 s.
        case handshakeUnanswered = "handshake-unanswered"
        /// The peer was removed.
        case peerRemoved = "peer-removed"
    }

    /// What a tunnel has done since it was made.
    public struct Statistics: Sendable {
        /// Packets sealed and put out, keepalives not counted.
        public internal(set) var packetsSealed: UInt64 = 0
        /// Packets opened and put out, keepalives not counted.
        public internal(set) var packetsOpened: UInt64 = 0
        /// How often for which reason; reasons that never came are not there.
        public internal(set) var drops: [Drop: UInt64] = [:]
    }
}

extension Tunnel.Drop {
    init(_ rejection: Rejection) {
        switch rejection {
        case .notWireGuard: self = .notWireGuard
        case .badMAC1: self = .badMAC1
        case .unknownReceiver: self = .unknownReceiver
        case .invalidInitiation: self = .invalidInitiation
        case .unknownPeer: self = .unknownPeer
        case .replayedInitiation: self = .replayedInitiation
        case .tooManyInitiations: self = .tooManyInitiations
        case .invalidResponse: self = .invalidResponse
        case .invalidCookieReply: self = .invalidCookieReply
        case .expiredKey: self = .expiredKey
        case .replayed: self = .replayed
        case .forged: self = .forged
        // A tunnel has a private key, is never under load, and nothing overtakes what it computes at once.
        case .noIdentity, .cookieDue, .sourceTooBusy, .overtaken: self = .invalidInitiation
        }
    }

    init(_ fault: InnerPacket.Fault) {
        switch fault {
        case .tooShort: self = .innerTooShort
        case .notIP: self = .innerNotIP
        case .lyingLength: self = .innerLyingLength
        }
    }
}
