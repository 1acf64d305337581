import Wire

/// A part of the network that rules speak of by one name: interfaces of the host, tunnels and peers of this file.
///
/// An interface is in one zone at most. A peer is in its tunnel's zone, and may be in zones of peers beside.
public struct Zone: Sendable, Equatable {
    /// This host.
    public static let host = "self"
    /// All interfaces that are in no zone.
    public static let other = "other"
    /// Everything, this host included.
    public static let any = "any"
    public static let reserved = [host, other, any]
    /// The most zones of a file.
    public static let maximumCount = 256

    public let name: Located<String>
    public let members: Members

    public init(name: Located<String>, members: Members) {
        self.name = name
        self.members = members
    }

    /// What stands under a zone's name.
    public struct Members: OptionRecord {
        public var interfaces: [Located<InterfacePattern>]
        public var tunnels: [Located<String>]
        /// As they are written: `berlin`, or `wg0/berlin`.
        public var peers: [Located<String>]

        public init(
            interfaces: [Located<InterfacePattern>] = [], tunnels: [Located<String>] = [], peers: [Located<String>] = []
        ) {
            self.interfaces = interfaces
            self.tunnels = tunnels
            self.peers = peers
        }

        public init?(_ options: inout OptionReader) {
            interfaces = options.optional("interfaces", default: [], help: "interfaces of the host")
            tunnels = options.optional("tunnels", default: [], help: "interfaces of this file")
            peers = options.optional("peers", default: [], help: "peers, by what their allowed-ips prove")
            let isWritten = ["interfaces", "tunnels", "peers"].contains { options.has($0) }
            if !isWritten {
                options.diagnostics.error(
                    "nothing is in this zone: it takes interfaces, tunnels or peers", at: options.position)
            }
        }
    }

    /// Its interfaces, tunnels included.
    public var patterns: [Located<InterfacePattern>] {
        members.interfaces
            + members.tunnels.compactMap { tunnel in
                InterfacePattern(tunnel.value).map { Located($0, at: tunnel.position) }
            }
    }
}

extension InterfacePattern: ScalarOption {
    public static var expected: String { "an interface such as eth0, or br-* for all that begin so" }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let pattern = InterfacePattern(scalar.text) else { throw Self.unexpected(scalar) }
        self = pattern
    }
}
