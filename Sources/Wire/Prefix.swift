/// An address and a prefix length, host bits always clear: `192.95.5.65/27` is stored as `192.95.5.64/27` (P-7.2).
public struct Prefix: Hashable, Sendable {
    public let address: IPAddress
    public let length: Int

    /// nil when `length` is not within 0…32 or 0…128 for the address's family.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.family.bitWidth).contains(length) else { return nil }
        self.address = address.masked(to: length)
        self.length = length
    }

    /// The prefix that holds this one address.
    public init(host address: IPAddress) {
        self.address = address
        length = address.family.bitWidth
    }

    /// `10.0.0.0/8`, `fd00::/64`, or a bare address, which stands for itself alone.
    public init?(_ text: some StringProtocol) {
        guard let (address, length) = Self.parts(of: String(text)) else { return nil }
        self.init(address, length: length)
    }

    /// The address and the length of a prefix as they are written: host bits are not cleared, nor is the length checked.
    public static func parts(of text: String) -> (address: IPAddress, length: Int)? {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            return IPAddress(text).map { ($0, $0.family.bitWidth) }
        }
        let digits = text.utf8[text.utf8.index(after: slash)...]
        guard let address = IPAddress(text[..<slash]), (1...3).contains(digits.count) else { return nil }
        var length = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            length = length * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return (address, length)
    }

    @inlinable public var family: IPAddress.Family { address.family }

    public func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.masked(to: length) == address
    }

    public func contains(_ other: Prefix) -> Bool {
        other.length >= length && contains(other.address)
    }

    /// True when they have an address in common: then one of them contains the other.
    public func overlaps(_ other: Prefix) -> Bool { contains(other) || other.contains(self) }
}

extension Prefix: CustomStringConvertible {
    public var description: String { "\(address)/\(length)" }
}
