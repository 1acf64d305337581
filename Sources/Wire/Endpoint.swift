/// A UDP address on the wire: where a peer's datagrams come from and go to.
public struct Endpoint: Hashable, Sendable {
    public var address: IPAddress
    public var port: UInt16
    /// The interface index that a link-local IPv6 address is scoped to; 0 when there is none (P-6.7).
    public var scope: UInt32

    @inlinable public init(address: IPAddress, port: UInt16, scope: UInt32 = 0) {
        self.address = address
        self.port = port
        self.scope = scope
    }

    /// `192.0.2.1:51820` or `[2001:db8::1]:51820`, numeric only; `[fe80::1%3]:51820` takes its scope as a number.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let port = UInt16(digits) else { return nil }
        var host = text[..<colon]
        var scope: UInt32 = 0
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
            if let percent = host.firstIndex(of: "%") {
                guard let index = UInt32(host[host.index(after: percent)...]) else { return nil }
                scope = index
                host = host[..<percent]
            }
            guard let address = IPAddress(host), address.family == .v6 else { return nil }
            self.init(address: address, port: port, scope: scope)
        } else {
            guard let address = IPAddress(host), address.family == .v4 else { return nil }
            self.init(address: address, port: port)
        }
    }
}

extension Endpoint: CustomStringConvertible {
    public var description: String {
        switch address.family {
        case .v4: "\(address):\(port)"
        case .v6: scope == 0 ? "[\(address)]:\(port)" : "[\(address)%\(scope)]:\(port)"
        }
    }
}

/// The address of ours that a datagram arrived at, to answer from the same one (P-6.2).
public struct LocalAddress: Hashable, Sendable {
    public var address: IPAddress
    /// The interface it arrived on; 0 leaves the choice to the routing table.
    public var interface: UInt32

    @inlinable public init(address: IPAddress, interface: UInt32) {
        self.address = address
        self.interface = interface
    }
}

/// Both ends of a datagram's way over the wire.
public struct Path: Hashable, Sendable {
    public var remote: Endpoint
    /// nil when the routing table may choose the source.
    public var local: LocalAddress?

    @inlinable public init(remote: Endpoint, local: LocalAddress? = nil) {
        self.remote = remote
        self.local = local
    }
}
