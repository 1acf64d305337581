/// Which way packets go through the stages.
public enum Direction: Sendable, CaseIterable {
    /// Down: from TUN to the wire, to a peer.
    case outbound
    /// Up: from the wire to TUN, from a peer.
    case inbound
}
