/// Steele, Lea and Flood's generator: one word of state, the same numbers everywhere. For networks in memory only.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// 0 up to but not 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A word that depends on every bit of `word`.
    static func mix(_ word: UInt64) -> UInt64 {
        var word = word
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
