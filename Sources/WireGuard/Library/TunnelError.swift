/// Why a tunnel did not do what its caller asked for. Nothing has changed then.
///
/// What comes from the network never makes an error: it is counted as a ``Tunnel/Drop``.
public enum TunnelError: Error, Hashable, Sendable {
    /// The handle is of a peer that was removed, or of another tunnel.
    case unknownPeer
    /// A peer with this public key is there already.
    case duplicatePeer(Tunnel.PeerHandle)
    /// The public key is the tunnel's own.
    case ownPublicKey
    /// There are as many peers as a tunnel takes: 2²⁰.
    case tooManyPeers
    /// A keepalive interval that is neither zero nor 1…65,535 s.
    case keepaliveOutOfRange
    /// Nobody knows yet where the peer is: give it an endpoint, or wait until it has been heard of.
    case noEndpoint
    /// Neither an IPv4 nor an IPv6 packet, or one that is not all there.
    case malformedPacket
    /// A packet of more than ``Tunnel/largestPacket`` bytes.
    case packetTooLarge
    /// Too many outputs wait to be taken: see ``Tunnel/nextOutput()``.
    case outputsNotTaken
}

extension TunnelError: CustomStringConvertible {
    /// One clause in English, for a log.
    public var description: String {
        switch self {
        case .unknownPeer: "the tunnel has no such peer"
        case .duplicatePeer: "a peer with this public key is there already"
        case .ownPublicKey: "the public key is the tunnel's own"
        case .tooManyPeers: "the tunnel takes no more than \(Limits.peers) peers"
        case .keepaliveOutOfRange: "a keepalive interval is 1…65535 s, or zero for none"
        case .noEndpoint: "the peer has no endpoint yet"
        case .malformedPacket: "not a whole IPv4 or IPv6 packet"
        case .packetTooLarge: "the packet is longer than \(Tunnel.largestPacket) bytes"
        case .outputsNotTaken: "too many outputs of the tunnel wait to be taken"
        }
    }
}
