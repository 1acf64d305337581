/// Why a message from the wire was not taken.
package enum Rejection: Int, Error, CaseIterable, Sendable {
    /// No known type, or not the length that its type has.
    case notWireGuard
    /// Its mac1 is not of someone who knows our public key.
    case badMAC1
    /// No handshake or session of ours has the receiver index.
    case unknownReceiver
    /// An initiation that does not decrypt, or a Diffie-Hellman result of all zeros (P-2.3).
    case invalidInitiation
    /// An authentic initiation from a key that is no peer of ours.
    case unknownPeer
    /// An initiation whose time stamp is not greater than the greatest seen (P-2.8).
    case replayedInitiation
    /// Initiations of one peer less than 20 ms apart (P-2.9).
    case tooManyInitiations
    /// A response that fits no initiation under way, or does not decrypt.
    case invalidResponse
    /// A cookie reply that answers nothing we sent, or does not decrypt.
    case invalidCookieReply
    /// A session older than 180 s.
    case expiredKey
    /// A counter seen before, or too old to tell.
    case replayed
    /// Data whose tag is wrong.
    case forged
    /// The interface has no private key.
    case noIdentity
    /// Under load: without a valid mac2 its sender gets a cookie and nothing else (P-3.11).
    case cookieDue
    /// Under load: more handshakes from one address than it may begin (P-3.12).
    case sourceTooBusy
    /// A handshake that was computed for a peer, an identity or a place in the order that is not so any more.
    case overtaken

    package var name: String {
        switch self {
        case .notWireGuard: "not-wireguard"
        case .badMAC1: "bad-mac1"
        case .unknownReceiver: "unknown-receiver"
        case .invalidInitiation: "invalid-initiation"
        case .unknownPeer: "unknown-peer"
        case .replayedInitiation: "replayed-initiation"
        case .tooManyInitiations: "too-many-initiations"
        case .invalidResponse: "invalid-response"
        case .invalidCookieReply: "invalid-cookie-reply"
        case .expiredKey: "expired-key"
        case .replayed: "replayed"
        case .forged: "forged"
        case .noIdentity: "no-private-key"
        case .cookieDue: "cookie-due"
        case .sourceTooBusy: "source-too-busy"
        case .overtaken: "handshake-overtaken"
        }
    }
}
