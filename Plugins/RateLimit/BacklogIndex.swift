/// Finds who holds about the most: numbers of things by the magnitude of what they hold, in lists of powers of two.
///
/// What it finds holds more than half of what the greatest one does. Telling it and asking it take no search.
struct BacklogIndex {
    private static let none: Int32 = -1

    private struct Entry {
        var magnitude = none
        var next = none
        var previous = none
    }

    private var entries: ContiguousArray<Entry> = []
    private var heads = InlineArray<64, Int32>(repeating: none)
    /// Bit m: somebody holds 2^m to 2^(m+1).
    private var occupied: UInt64 = 0

    /// What `id` holds now; 0 for nothing.
    mutating func set(_ id: Int, _ amount: Int) {
        let magnitude = amount > 0 ? Int32(Int.bitWidth - 1 - amount.leadingZeroBitCount) : Self.none
        while entries.count <= id {
            guard magnitude >= 0 else { return }
            entries.append(Entry())
        }
        guard entries[id].magnitude != magnitude else { return }
        unlink(id)
        entries[id].magnitude = magnitude
        if magnitude >= 0 { link(id) }
    }

    /// nil when nobody holds anything.
    var greatest: Int? {
        occupied == 0 ? nil : Int(heads[UInt64.bitWidth - 1 - occupied.leadingZeroBitCount])
    }

    private mutating func link(_ id: Int) {
        let magnitude = Int(entries[id].magnitude)
        let head = heads[magnitude]
        entries[id].next = head
        entries[id].previous = Self.none
        if head >= 0 { entries[Int(head)].previous = Int32(id) }
        heads[magnitude] = Int32(id)
        occupied |= 1 << UInt64(magnitude)
    }

    private mutating func unlink(_ id: Int) {
        let entry = entries[id]
        guard entry.magnitude >= 0 else { return }
        let magnitude = Int(entry.magnitude)
        if entry.previous >= 0 { entries[Int(entry.previous)].next = entry.next } else { heads[magnitude] = entry.next }
        if entry.next >= 0 { entries[Int(entry.next)].previous = entry.previous }
        if heads[magnitude] < 0 { occupied &= ~(1 << UInt64(magnitude)) }
    }
}
