import Wire

/// A peer as a file declares it, for options that have to go with it.
public struct DeclaredPeer: Sendable {
    /// As the file writes it: it may be no name that a peer can have.
    public let name: String
    public let interface: String
    public let allowedIPs: [Located<Prefix>]

    public init(name: String, interface: String, allowedIPs: [Located<Prefix>]) {
        self.name = name
        self.interface = interface
        self.allowedIPs = allowedIPs
    }
}

/// A stage's options for a peer that can only be judged together with what else the file says of that peer.
public protocol PeerOptionRecord: OptionRecord {
    /// Called once for the peer that they stand in, when all of it has been read. What does not go together is an error
    /// or a warning at the position that the record has kept (`Located`).
    func check(against peer: DeclaredPeer, _ diagnostics: Diagnostics)
}
