import Wire

/// An address as bits counted from its most significant one, whatever its family: an IPv4 address is the first 32.
struct BitString: Equatable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(v4 bits: UInt32) { self.init(high: UInt64(bits) << 32, low: 0) }

    init(_ address: IPAddress) {
        switch address.family {
        case .v4: self.init(v4: address.v4Bits)
        case .v6: self.init(high: address.high, low: address.low)
        }
    }

    func address(in family: IPAddress.Family) -> IPAddress {
        switch family {
        case .v4: IPAddress(v4: UInt32(truncatingIfNeeded: high >> 32))
        case .v6: IPAddress(v6High: high, low: low)
        }
    }

    /// Bit `index`, 0 to 127.
    func bit(_ index: UInt32) -> Bool {
        let word = index < 64 ? high : low
        return word &<< UInt64(index & 63) & 1 << 63 != 0
    }

    /// How many leading bits both have in common, 0 to 128.
    func commonLength(_ other: BitString) -> Int {
        let difference = high ^ other.high
        return difference != 0 ? difference.leadingZeroBitCount : 64 + (low ^ other.low).leadingZeroBitCount
    }
}
