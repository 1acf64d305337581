/// What a slab holds: a value with room for the index of the next vacant place.
protocol SlabElement {
    static var vacant: Self { get }
    var nextVacant: UInt32 { get set }
}

/// Elements in one piece of memory, called by their 32-bit indices; places that were left are taken again first.
///
/// Indices are not checked in release builds: they come from the trie's own links.
@safe struct Slab<Element: SlabElement>: ~Copyable, @unchecked Sendable {  // Sendable: one owner, which it moves with
    /// Indices stay below 2³¹, because a reference spends the top bit on telling leaves from branches.
    private static var maximumCapacity: Int { 1 << 30 }

    /// Elements in use.
    private(set) var count = 0
    private var elements = UnsafeMutablePointer<Element>.allocate(capacity: 1)
    private var capacity: UInt32 = 1
    /// How many places were ever taken.
    private var reached: UInt32 = 0
    private var firstVacant = UInt32.max

    deinit { unsafe elements.deallocate() }

    subscript(_ index: UInt32) -> Element {
        unsafeAddress {
            assert(index < reached)
            return unsafe UnsafePointer(elements + Int(index))
        }
        unsafeMutableAddress {
            assert(index < reached)
            return unsafe elements + Int(index)
        }
    }

    mutating func add(_ element: Element) -> UInt32 {
        count += 1
        if firstVacant != .max {
            let index = firstVacant
            firstVacant = self[index].nextVacant
            self[index] = element
            return index
        }
        if reached == capacity { grow() }
        reached += 1
        unsafe (elements + Int(reached - 1)).initialize(to: element)
        return reached - 1
    }

    mutating func remove(_ index: UInt32) {
        self[index] = Element.vacant
        self[index].nextVacant = firstVacant
        firstVacant = index
        count -= 1
    }

    private mutating func grow() {
        precondition(Int(capacity) * 2 <= Slab.maximumCapacity, "too many prefixes")
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: Int(capacity) * 2)
        unsafe larger.moveInitialize(from: elements, count: Int(reached))
        unsafe elements.deallocate()
        unsafe elements = larger
        capacity *= 2
    }
}
