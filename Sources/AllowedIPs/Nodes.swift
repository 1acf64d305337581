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

/// A place where paths part, or go on below a prefix: 16 bytes, the only ones that a look-up walks over.
///
/// It has two children, or an entry and one child: anything less is folded into what stands above.
struct Branch {
    /// Where paths whose bit `position` is 0 or 1 go on.
    var zero: Reference
    var one: Reference
    /// The prefix that ends here, of length `position`; `Entry.none` if none does.
    var entry: UInt32
    /// How many leading bits everything below has in common.
    let position: UInt32

    subscript(_ side: Bool) -> Reference {
        get { side ? one : zero }
        set { if side { one = newValue } else { zero = newValue } }
    }
}

extension Branch: SlabElement {
    static let vacant = Branch(zero: .none, one: .none, entry: Entry.none, position: 0)
    var nextVacant: UInt32 {
        get { entry }
        set { entry = newValue }
    }
}

/// Where a path goes on: at a branch, at an entry with nothing below it, or nowhere.
struct Reference: Equatable {
    private static let leafBit: UInt32 = 1 << 31
    private let rawValue: UInt32

    private init(rawValue: UInt32) { self.rawValue = rawValue }

    static let none = Reference(rawValue: .max)
    static func branch(_ index: UInt32) -> Reference { Reference(rawValue: index) }
    static func leaf(_ index: UInt32) -> Reference { Reference(rawValue: index | leafBit) }

    var branch: UInt32? { rawValue < Reference.leafBit ? rawValue : nil }
    /// The entry's index where this is a leaf.
    var leaf: UInt32? { rawValue >= Reference.leafBit && self != .none ? rawValue & ~Reference.leafBit : nil }
}
