/// A set as the kernel holds it: bytes and numbers.
struct KernelSet: Hashable, Sendable {
    /// NFT_DATA_VALUE_MAXLEN: bytes of a key.
    static let keyLimit = 64

    let name: String
    /// The numbers of the fields' types, six bits each.
    let keyType: UInt32
    let keyLength: Int
    /// What each field takes without padding.
    let fieldLengths: [Int]
    /// Whether a value of the key counts in host order, for nft to write it.
    let isHostOrder: Bool
    let hasIntervals: Bool
    /// Whether it is something that none of ours is: a set with timeouts, or a map.
    var isForeign = false
    var elements: Set<Element>

    struct Element: Hashable, Sendable {
        let low: [UInt8]
        /// The last value; `low` itself where it stands for one.
        let high: [UInt8]

        init(_ bounds: (low: [UInt8], high: [UInt8])) {
            low = bounds.low
            high = bounds.high
        }
    }

    /// Whether elements are written as a beginning and an end each, which the kernel holds as two.
    var hasEnds: Bool { hasIntervals && fieldLengths.count == 1 }

    /// Whether one can become the other by its elements alone.
    func hasShape(of other: KernelSet) -> Bool {
        !isForeign && !other.isForeign && keyType == other.keyType && keyLength == other.keyLength
            && hasIntervals == other.hasIntervals
    }
}

extension KernelSet {
    init(_ set: SetDefinition) throws(NftablesError) {
        let key = set.key
        name = set.name
        hasIntervals = set.hasIntervals
        keyType = key.reduce(0) { $0 << 6 | $1.number }
        keyLength = key.count == 1 ? key[0].length : key.reduce(0) { $0 + $1.paddedLength }
        fieldLengths = key.map(\.length)
        isHostOrder = key.count == 1 && key[0].isHostOrder
        guard (1...Self.keyLimit).contains(keyLength), key.count <= Self.fieldLimit else {
            throw .unsuitable(.set(name), "a key of \(key.count) fields, \(keyLength) bytes")
        }
        for parts in set.elements {
            guard parts.map(\.type) == key else {
                throw .unsuitable(.set(name), "the element \(parts.text) is of another type")
            }
            guard hasIntervals || !parts.contains(where: \.isRange) else {
                throw .unsuitable(.set(name), "the element \(parts.text) in a set without intervals")
            }
        }
        elements = Set(set.elements.map { Element($0.bounds) })
    }

    /// NFT_REG32_COUNT, and what six bits each of a type's number leave room for.
    private static let fieldLimit = 5
}

extension KernelSet {
    /// The kernel puts a number for `%d`.
    static let anonymousName = "__set%d"

    /// Which protocol's types: nft has names for them.
    enum ICMPType: UInt32 { case v4 = 14, v6 = 29 }

    /// A set without a name of ICMP's types.
    init(_ types: [UInt8], _ kind: ICMPType) {
        name = ""
        keyType = kind.rawValue
        keyLength = 1
        fieldLengths = [1]
        isHostOrder = false
        hasIntervals = false
        elements = Set(types.map { Element(([$0], [$0])) })
    }
}

extension KernelSet {
    /// A beginning or an end of a range, as the kernel holds them where there is one field.
    struct Mark {
        let key: [UInt8]
        let isEnd: Bool
    }

    /// The ranges that marks stand for; the last one may have no end. An end without a beginning is none of ours: nft puts
    /// one before the first range.
    static func ranges(_ marks: [Mark]) -> Set<Element> {
        let ascending = marks.sorted { a, b in
            a.key == b.key ? a.isEnd && !b.isEnd : a.key.lexicographicallyPrecedes(b.key)
        }
        var ranges: Set<Element> = []
        var open: Mark?
        for mark in ascending {
            if let start = open, let last = mark.key.predecessor {
                ranges.insert(Element((start.key, last)))
            }
            open = mark.isEnd ? nil : mark
        }
        if let start = open {
            ranges.insert(Element((start.key, Array(repeating: .max, count: start.key.count))))
        }
        return ranges
    }
}
