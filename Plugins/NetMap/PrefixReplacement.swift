import Wire

/// One prefix in the place of another of the same length. The host bits of an address stay.
struct PrefixReplacement {
    private let family: IPAddress.Family
    private let old, new: Bits
    /// The bits of the prefix.
    private let mask: Bits
    /// What a checksum's sum changes by, as it stands in memory. The host bits cancel out, so that it is the same for every
    /// address (RFC 1071 §2).
    let adjustment: UInt16

    /// The two have one family and one length.
    init(of old: Prefix, by new: Prefix) {
        family = old.family
        self.old = Bits(old.address)
        self.new = Bits(new.address)
        let ones = family == .v4 ? IPAddress(v4: .max) : IPAddress(v6High: .max, low: .max)
        mask = Bits(ones.masked(to: old.length))
        var sum = Checksum()
        for word in Self.words(of: old.address) { sum.subtract(word.bigEndian) }
        for word in Self.words(of: new.address) { sum.add(network: word) }
        adjustment = sum.folded
    }

    private static func words(of address: IPAddress) -> [UInt32] {
        [address.high >> 32, address.high, address.low >> 32, address.low].map { UInt32(truncatingIfNeeded: $0) }
    }

    func concerns(_ address: IPAddress) -> Bool {
        address.family == family && address.high & mask.high == old.high && address.low & mask.low == old.low
    }

    /// `address` is one that it concerns.
    func applied(to address: IPAddress) -> IPAddress {
        let (high, low) = (address.high & ~mask.high | new.high, address.low & ~mask.low | new.low)
        return family == .v4 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(v6High: high, low: low)
    }
}

/// Those of an address of either family; without the family, which a replacement has once.
private struct Bits {
    let high, low: UInt64
    init(_ address: IPAddress) { (high, low) = (address.high, address.low) }
}
