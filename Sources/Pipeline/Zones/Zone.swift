import Wire

/// A part of the network that rules speak of by one name: interfaces of the host, tunnels and peers of this file.
///
/// An interface is in one zone at most. A peer is in its tunnel's zone, and may be in zones of peers beside.
package struct Zone: Sendable, Equatable {
    /// This host.
    package static let host = "self"
    /// All interfaces that are in no zone.
    package static let other = "other"
    /// Everything, this host included.
    package static let any = "any"
    package static let reserved = [host, other, any]
    /// The most zones of a file.
    package static let maximumCount = 256

    package let name: Located<String>
    package let members: Members

    package init(name: Located<String>, members: Members) {
        self.name = name
        self.members = members
    }

    /// What stands under a zone's name.
    package struct Members: OptionRecord {
        package var interfaces: [Located<InterfacePattern>]
        package var tunnels: [Located<String>]
        /// As they are written: `berlin`, or `wg0/berlin`.
        package var peers: [Located<String>]

        package init(
            interfaces: [Located<InterfacePattern>] = [], tunnels: [Located<String>] = [], peers: [Located<String>] = []
        ) {
            self.interfaces = interfaces
            self.tunnels = tunnels
            self.peers = peers
        }

        package init?(_ options: inout OptionReader) {
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
    package var patterns: [Located<InterfacePattern>] {
        members.interfaces
            + members.tunnels.compactMap { tunnel in
                InterfacePattern(tunnel.value).map { Located($0, at: tunnel.position) }
            }
    }
}

extension InterfacePattern: ScalarOption {
    package static var expected: String { "an interface such as eth0, or br-* for all that begin so" }

    package init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let pattern = InterfacePattern(scalar.text) else { throw Self.unexpected(scalar) }
        self = pattern
    }
}
