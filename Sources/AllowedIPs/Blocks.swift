/// The references of all nodes: each node's are in one block of a few sizes, which is taken again when it was left.
struct Blocks: ~Copyable {
    /// The index of no block.
    static let none = UInt32.max
    /// A node's 64 ways and 63 ends.
    private static let maximumCount = 127

    private var memory = Memory<Reference>()
    /// The first vacant block of each size; in it is the index of the next one.
    private var vacant = [UInt32](repeating: none, count: place(of: room(for: maximumCount)) + 1)

    var byteCount: Int { memory.byteCount }

    subscript(_ block: UInt32, _ place: Int) -> Reference {
        get { memory[Int(block) + place] }
        nonmutating set { memory[Int(block) + place] = newValue }
    }

    /// Puts a reference into a block that has `count`; where the block is from then on.
    mutating func insert(_ reference: Reference, at place: Int, of count: Int, in block: UInt32) -> UInt32 {
        let block = resize(block, from: count, to: count + 1)
        memory.move(from: Int(block) + place, to: Int(block) + place + 1, count: count - place)
        self[block, place] = reference
        return block
    }

    /// Takes one out of a block that has `count`; where the block is from then on.
    mutating func remove(at place: Int, of count: Int, in block: UInt32) -> UInt32 {
        memory.move(from: Int(block) + place + 1, to: Int(block) + place, count: count - place - 1)
        return resize(block, from: count, to: count - 1)
    }

    private mutating func resize(_ block: UInt32, from: Int, to: Int) -> UInt32 {
        let (before, after) = (Self.room(for: from), Self.room(for: to))
        guard before != after else { return block }
        let new = after > 0 ? take(after) : Blocks.none
        if before > 0 {
            if after > 0 { memory.move(from: Int(block), to: Int(new), count: min(from, to)) }
            self[block, 0] = Reference(rawValue: vacant[Self.place(of: before)])
            vacant[Self.place(of: before)] = block
        }
        return new
    }

    private mutating func take(_ room: Int) -> UInt32 {
        let block = vacant[Self.place(of: room)]
        guard block != Blocks.none else { return UInt32(memory.add(.none, count: room)) }
        vacant[Self.place(of: room)] = self[block, 0].rawValue
        return block
    }

    /// Few sizes, so that what was left fits again; and little more than is needed.
    private static func room(for count: Int) -> Int {
        let step = count <= 8 ? 2 : 8
        return (count + step - 1) / step * step
    }

    private static func place(of room: Int) -> Int { room <= 8 ? room / 2 : 3 + room / 8 }
}
