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

    /// The six bits from `position` on, which is less than 128; behind the last one are zeros.
    func way(at position: UInt32) -> Int {
        let shift = UInt64(position & 63)
        guard position < 64 else { return Int((low &<< shift) &>> 58) }
        // In two steps, because a shift by 64 would be one by 0.
        return Int((high &<< shift | (low &>> 1) &>> (63 - shift)) &>> 58)
    }

    /// How many leading bits both have in common, 0 to 128.
    func commonLength(_ other: BitString) -> Int {
        let difference = high ^ other.high
        return difference != 0 ? difference.leadingZeroBitCount : 64 + (low ^ other.low).leadingZeroBitCount
    }
}
