import Wire

/// A host, which may be a name to be looked up, and a UDP port.
public struct HostPort: Hashable, Sendable {
    public enum Host: Hashable, Sendable {
        /// The zone is the interface, by name or number, that a link-local IPv6 address belongs to.
        case address(IPAddress, zone: String?)
        case name(String)
    }

    /// The most characters of a name, and of one of its labels (RFC 1035 §2.3.4).
    static let maximumNameLength = 253
    static let maximumLabelLength = 63

    public let host: Host
    public let port: UInt16

    public init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    public init(_ endpoint: Endpoint) {
        host = .address(endpoint.address, zone: endpoint.scope == 0 ? nil : String(endpoint.scope))
        port = endpoint.port
    }

    /// Where to send to, when that can be told without a look-up: an address, its zone a number.
    public var endpoint: Endpoint? {
        guard case .address(let address, let zone) = host else { return nil }
        guard let zone else { return Endpoint(address: address, port: port) }
        return UInt32(zone).map { Endpoint(address: address, port: port, scope: $0) }
    }
}

extension HostPort: ScalarOption, CustomStringConvertible {
    public static var expected: String { "an endpoint such as vpn.example.net:51820 or [2001:db8::1]:51820" }
    public static var shape: OptionShape {
        .text(
            OptionShape.Text(
                expected, pattern: "^(.+):[0-9]+$", examples: ["vpn.example.net:51820", "[2001:db8::1]:51820"]))
    }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        let text = scalar.text
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            throw Self.unexpected(scalar, ": the port is missing")
        }
        let host = text[..<colon]
        let inBrackets = host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
        guard inBrackets || !host.utf8.contains(UInt8(ascii: ":")) else {
            throw Self.unexpected(scalar, ": an IPv6 address stands in [ ], and the port after it")
        }
        let digits = text[text.utf8.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy(Self.isDigit), let port = UInt16(digits), port > 0
        else {
            throw Self.unexpected(scalar, ": the port is a number from 1 to 65535")
        }
        let named = inBrackets ? Self.v6(host.dropFirst().dropLast()) : Self.v4OrName(host)
        guard let named else { throw Self.unexpected(scalar) }
        self.init(host: named, port: port)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func v6(_ text: Substring) -> Host? {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first), address.family == .v6 else { return nil }
        guard parts.count == 2 else { return .address(address, zone: nil) }
        let fits =
            (1...15).contains(parts[1].utf8.count) && parts[1].utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }
        return fits && address.isLinkLocal ? .address(address, zone: String(parts[1])) : nil
    }

    private static func v4OrName(_ text: Substring) -> Host? {
        if let address = IPAddress(text) { return .address(address, zone: nil) }
        let name = text.last == "." ? text.dropLast() : text
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= maximumNameLength, labels.allSatisfy(isLabel),
            let top = labels.last, !top.allSatisfy({ ("0"..."9").contains($0) })  // 10.0.0.300 is no name
        else { return nil }
        return .name(String(text))
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...maximumLabelLength).contains(label.utf8.count) && label.first != "-" && label.last != "-"
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    public var description: String {
        switch host {
        case .name(let name): "\(name):\(port)"
        case .address(let address, let zone):
            address.family == .v4 ? "\(address):\(port)" : "[\(address)\(zone.map { "%" + $0 } ?? "")]:\(port)"
        }
    }
}
