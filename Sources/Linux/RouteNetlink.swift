import CMNL
import Glibc
import Wire

/// Links, addresses, routes and rules through rtnetlink: one request at a time, acknowledged by the kernel.
///
/// It speaks to the network namespace of the thread that made it. The requests stand in `RouteNetlink+*.swift`.
package struct RouteNetlink: ~Copyable {
    var socket: NetlinkSocket

    package init() throws(Errno) { socket = try NetlinkSocket() }
}

/// An interface as it stands.
package struct Link: Hashable, Sendable {
    package var index: UInt32
    package var name: String
    package var mtu: Int
    package var isUp: Bool
    /// How the kernel makes its IPv6 link-local addresses: IN6_ADDR_GEN_MODE_*; nil where it has no IPv6.
    package var addressGeneration: UInt8?

    /// IN6_ADDR_GEN_MODE_NONE: not at all.
    package static let noAddressGeneration: UInt8 = 1
}

/// An address on an interface with the length of the link's prefix, host bits kept: 10.80.0.1/24.
package struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let prefixLength: Int

    /// nil when `prefixLength` is not within 0…32 or 0…128 for the address's family.
    package init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...address.family.bitWidth).contains(prefixLength) else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// `10.80.0.1/24`, `fd80::1/64`, or a bare address, alone on its link.
    package init?(_ text: some StringProtocol) {
        guard let prefix = Prefix(text), let address = IPAddress(text.prefix { $0 != "/" }) else { return nil }
        self.init(address, prefixLength: prefix.length)
    }

    package var description: String { "\(address)/\(prefixLength)" }
}

/// A route to a prefix straight out of an interface, without a next hop.
package struct Route: Hashable, Sendable {
    /// RT_TABLE_MAIN.
    package static let mainTable: UInt32 = 254

    package var prefix: Prefix
    package var table: UInt32
    /// Lower is preferred; nil takes the kernel's default (0 for IPv4, 1024 for IPv6).
    package var metric: UInt32?

    package init(_ prefix: Prefix, table: UInt32 = Route.mainTable, metric: UInt32? = nil) {
        self.prefix = prefix
        self.table = table
        self.metric = metric
    }
}
