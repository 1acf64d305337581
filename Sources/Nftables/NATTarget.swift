import Wire

/// What an address, and with it a port, is changed to.
package struct NATTarget: Hashable, Sendable {
    package enum Addresses: Hashable, Sendable {
        /// One of them, by flow.
        case range(IPAddress, IPAddress)
        /// The same host number in this prefix: one to one.
        case prefix(Prefix)
    }

    package var addresses: Addresses
    /// nil: the port stays (where it can, at `postrouting`). Wants a match for the protocol in the rule.
    package var ports: ClosedRange<UInt16>?
    package var options: NATOptions

    package init(_ addresses: Addresses, ports: ClosedRange<UInt16>? = nil, options: NATOptions = []) {
        self.addresses = addresses
        self.ports = ports
        self.options = options
    }

    package init(_ address: IPAddress, port: UInt16? = nil) {
        self.init(.range(address, address), ports: port.map { $0...$0 })
    }

    package var family: IPAddress.Family {
        switch addresses {
        case .range(let first, _): first.family
        case .prefix(let prefix): prefix.family
        }
    }
}

/// How a port, or one of several addresses, is chosen (`NF_NAT_RANGE_…`, linux/netfilter/nf_nat.h).
package struct NATOptions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let random = NATOptions(rawValue: 1 << 2)
    /// A client always gets the same address.
    package static let persistent = NATOptions(rawValue: 1 << 3)
    package static let fullyRandom = NATOptions(rawValue: 1 << 4)
}
