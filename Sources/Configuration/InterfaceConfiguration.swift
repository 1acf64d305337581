import Pipeline
import Wire

/// One WireGuard interface and its peers.
package struct InterfaceConfiguration: Sendable, Equatable {
    /// Ethernet's 1500 less what a sealed packet adds over IPv6.
    package static let defaultMTU = 1420
    /// From what any IPv4 host takes (RFC 1122 §3.3.2) to what, sealed and in UDP over IPv4, is still a packet:
    /// 65,535 less 20 + 8 + 32.
    package static let mtuRange = 576...65_475
    /// The least for IPv6 (RFC 8200 §5); below it the kernel takes IPv6 away from a device.
    package static let minimumMTUForIPv6 = 1280
    /// The most addresses of an interface.
    package static let maximumAddresses = 64

    package var name: Located<String>
    /// Every interface of a file has one; nil where it is told later, through the UAPI.
    package var privateKey: Located<KeySource>?
    /// 0 leaves the choice to the kernel.
    package var listenPort: Located<UInt16>
    package var addresses: [Located<InterfaceAddress>]
    package var mtu: Int
    /// The mark on sealed packets, for policy routing; 0 is none.
    package var fwmark: UInt32
    /// Whether each allowed prefix gets a route in the kernel.
    package var routes: Bool
    package var peers: [PeerConfiguration]

    /// Whether it gets the host's default route of a family, which goes by the mark: then that is also the number of a
    /// routing table.
    package var takesDefaultRoute: Bool {
        routes && peers.contains { $0.allowedIPs.contains { $0.value.length == 0 } }
    }
    /// RT_TABLE_COMPAT to RT_TABLE_LOCAL: tables that are the host's.
    package static let reservedTables: ClosedRange<UInt32> = 252...255

    package init(
        name: Located<String>, privateKey: Located<KeySource>?, listenPort: Located<UInt16>,
        addresses: [Located<InterfaceAddress>] = [], mtu: Int = defaultMTU, fwmark: UInt32 = 0, routes: Bool = true,
        peers: [PeerConfiguration] = []
    ) {
        self.name = name
        self.privateKey = privateKey
        self.listenPort = listenPort
        self.addresses = addresses
        self.mtu = mtu
        self.fwmark = fwmark
        self.routes = routes
        self.peers = peers
    }
}

/// An address of ours and the network it is in: `10.80.0.1/24`. Unlike a prefix it keeps its host bits.
package struct InterfaceAddress: Hashable, Sendable {
    package let address: IPAddress
    package let length: Int

    /// nil when `length` is not one of the address's family.
    package init?(_ address: IPAddress, length: Int) {
        guard Prefix(address, length: length) != nil else { return nil }
        self.address = address
        self.length = length
    }

    package var network: Prefix { Prefix(address, length: length) ?? Prefix(host: address) }
}

extension InterfaceAddress: ScalarOption, CustomStringConvertible {
    package static var expected: String { "an address with its length such as 10.80.0.1/24" }
    package static var shape: OptionShape {
        .text(
            OptionShape.Text(
                expected, pattern: "^[0-9A-Fa-f.:]+(/[0-9]+)?$", examples: ["10.80.0.1/24", "fd80::1/64"]))
    }

    /// A bare address is a network of its own.
    package init(_ scalar: Value.Scalar) throws(OptionError) {
        guard let prefix = Prefix(scalar.text), let address = IPAddress(scalar.text.prefix { $0 != "/" }) else {
            throw Self.unexpected(scalar, Prefix.lengthHint(scalar.text))
        }
        guard !address.isUnspecified, !Self.isMulticast(address) else {
            throw Self.unexpected(scalar, ", which no interface can have")
        }
        self.address = address
        length = prefix.length
    }

    /// 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291 §2.7).
    private static func isMulticast(_ address: IPAddress) -> Bool {
        address.family == .v4 ? address.v4Bits >> 28 == 0xe : address.high >> 56 == 0xff
    }

    package var description: String { "\(address)/\(length)" }
}
