/// What a slab holds: a value with room for the index of the next vacant place.
protocol SlabElement: BitwiseCopyable {
    static var vacant: Self { get }
    var nextVacant: UInt32 { get set }
}

/// Elements in one piece of memory, called by their 32-bit indices; places that were left are taken again first.
struct Slab<Element: SlabElement>: ~Copyable {
    /// Indices stay below 2³¹, because a reference spends the top bit on telling leaves from nodes.
    private static var maximumCount: Int { 1 << 30 }

    /// Elements in use.
    private(set) var count = 0
    private var memory = Memory<Element>()
    private var firstVacant = UInt32.max

    var byteCount: Int { memory.byteCount }

    subscript(_ index: UInt32) -> Element {
        unsafeAddress { unsafe UnsafePointer(memory.address(Int(index))) }
        unsafeMutableAddress { unsafe memory.address(Int(index)) }
    }

    mutating func add(_ element: Element) -> UInt32 {
        count += 1
        guard firstVacant != .max else {
            precondition(count <= Self.maximumCount, "too many prefixes")
            return UInt32(memory.add(element))
        }
        let index = firstVacant
        firstVacant = self[index].nextVacant
        self[index] = element
        return index
    }

    mutating func remove(_ index: UInt32) {
        self[index] = Element.vacant
        self[index].nextVacant = firstVacant
        firstVacant = index
        count -= 1
    }
}
