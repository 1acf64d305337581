import Wire

/// One prefix and its owner: 32 bytes.
struct Entry {
    /// The index of no entry.
    static let none = UInt32.max

    let bits: BitString
    /// Neighbours in the owner's list; `next` also links free entries.
    var next = Entry.none
    var previous = Entry.none
    var peer = PeerID.none
    let length: UInt8
    let family: IPAddress.Family

    init(_ prefix: Prefix) {
        bits = BitString(prefix.address)
        length = UInt8(prefix.length)
        family = prefix.family
    }

    var prefix: Prefix? { Prefix(bits.address(in: family), length: Int(length)) }
}

extension Entry: SlabElement {
    static let vacant = Entry(Prefix(host: IPAddress(v4: 0)))
    var nextVacant: UInt32 {
        get { next }
        set { next = newValue }
    }
}

/// A place where up to 64 ways part, by the next six bits of an address: 24 bytes.
///
/// It has two references at least: anything less is folded into what stands above.
struct Node {
    /// How many bits a node looks at.
    static let stride = 6

    /// Where everything below begins to differ: a multiple of the stride.
    let position: UInt32
    /// Where its references are: those of the ways, then those of the ends, each in the order of its bits.
    var block = Blocks.none
    /// The ways that go on, by six bits.
    var ways: UInt64 = 0
    /// The prefixes that end within the six bits: bit 2ⁿ − 1 + v is the one that goes on for n bits (0 to 5) of value v.
    var ends: UInt64 = 0

    init(at position: Int) { self.position = UInt32(position) }

    /// How many references it has.
    var count: Int { ways.nonzeroBitCount + ends.nonzeroBitCount }

    func has(way: Int) -> Bool { ways &>> UInt64(way) & 1 != 0 }
    func has(end: Int) -> Bool { ends &>> UInt64(end) & 1 != 0 }

    /// Where the reference of a way or an end is in the block, or would be.
    func place(ofWay way: Int) -> Int { ways == .max ? way : (ways & (1 &<< UInt64(way) - 1)).nonzeroBitCount }
    func place(ofEnd end: Int) -> Int { ways.nonzeroBitCount + (ends & (1 &<< UInt64(end) - 1)).nonzeroBitCount }

    /// The bit of the prefix that ends at `length`, on the way `way`; nil for one that goes further.
    func end(_ length: Int, way: Int) -> Int? {
        let left = length - Int(position)
        return left < Node.stride ? Self.end(left, way) : nil
    }

    /// The longest of the prefixes on the way `way` that end here, not after `length`; nil where there is none.
    func longestEnd(way: Int, notAfter length: Int = .max) -> Int? {
        guard ends != 0 else { return nil }
        let most = min(length - Int(position), Node.stride - 1)
        let passed = ends & Self.ends(on: way) & (1 &<< UInt64(1 << (most + 1) - 1) - 1)
        return passed == 0 ? nil : 63 - passed.leadingZeroBitCount
    }

    /// The six prefixes that a way may pass.
    private static func ends(on way: Int) -> UInt64 {
        (0..<stride).reduce(0) { $0 | 1 &<< UInt64(end($1, way)) }
    }

    /// The bit of a prefix that goes on for `left` of the way's bits.
    private static func end(_ left: Int, _ way: Int) -> Int { (1 &<< left) - 1 + way &>> (stride - left) }
}

extension Node: SlabElement {
    static let vacant = Node(at: 0)
    var nextVacant: UInt32 {
        get { block }
        set { block = newValue }
    }
}

/// Where a path goes on: at a node, at an entry with nothing below it, or nowhere.
struct Reference: Equatable {
    private static let leafBit: UInt32 = 1 << 31
    let rawValue: UInt32

    static let none = Reference(rawValue: .max)
    static func node(_ index: UInt32) -> Reference { Reference(rawValue: index) }
    static func leaf(_ index: UInt32) -> Reference { Reference(rawValue: index | leafBit) }

    var node: UInt32? { rawValue < Reference.leafBit ? rawValue : nil }
    /// The entry's index where this is a leaf.
    var leaf: UInt32? { rawValue >= Reference.leafBit && self != .none ? rawValue & ~Reference.leafBit : nil }
}
