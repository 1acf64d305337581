/// Deadlines of up to millions of things, each known by a small number: a hierarchical timing wheel (Varghese and
/// Lauck, SOSP 1987, scheme 7).
///
/// Four wheels of 64 slots. A slot of the first is one tick, 2^`tickBits` ns; a slot of each further one is a whole turn
/// of the one below, so that with ticks of 4.2 ms the last reaches 19 hours. Setting and cancelling touch one doubly
/// linked list; an entry moves down a wheel at most three times before it fires. What lies beyond the reach waits in the
/// last slot and is placed anew from there. An entry fires in the tick after its deadline: never early, a tick late at
/// most.
public struct TimerWheel {
    private static let slotBits: UInt64 = 6
    private static let levels = 4
    private static let slots = 64
    private static let none: Int32 = -1

    private let tickBits: UInt64

    private struct Entry {
        var deadline = Instant.never
        var slot = none
        var next = none
        var previous = none
    }

    private var entries: ContiguousArray<Entry> = []
    private var heads = ContiguousArray(repeating: none, count: levels * slots)
    /// One bit a slot: which lists are not empty.
    private var occupied = InlineArray<4, UInt64>(repeating: 0)
    /// The tick up to which everything has fired.
    private var current: UInt64

    /// With ticks of 2^`tickBits` ns: 22 for 4.2 ms.
    public init(now: Instant, tickBits: Int = 22) {
        precondition((0..<40).contains(tickBits), "a tick that is longer leaves the wheels no reach")
        self.tickBits = UInt64(tickBits)
        current = now.nanoseconds >> self.tickBits
    }

    /// The deadline of `id`, `never` when none is set.
    public subscript(id: Int) -> Instant { id < entries.count ? entries[id].deadline : .never }

    /// Sets the one deadline of `id`, in the place of an earlier one; `never` cancels.
    public mutating func set(_ id: Int, _ deadline: Instant) {
        while entries.count <= id { entries.append(Entry()) }
        unlink(id)
        entries[id].deadline = deadline
        if deadline < .never { link(id) }
    }

    /// When `expire` is next worth calling: a tick's start, at which something fires or moves down a wheel.
    public var nextDeadline: Instant {
        let tick = nextTick(notBefore: current)
        return tick == .max ? .never : Instant(nanoseconds: tick << tickBits)
    }

    /// Clears each deadline that `now` has reached and calls `fire` with its id, in the order of ticks. `fire` may not
    /// touch the wheel; it notes what is to be set again.
    public mutating func expire(_ now: Instant, _ fire: (Int) -> Void) {
        let target = now.nanoseconds >> tickBits
        while current <= target {
            for level in stride(from: Self.levels - 1, to: 0, by: -1) { cascade(level) }
            fireSlot(Int(current & 63), fire)
            guard current < target else { break }
            // Straight to the next tick that has anything to do: an idle wheel costs nothing.
            current = min(nextTick(notBefore: current + 1), target)
        }
    }

    /// The first tick from `first` on (which is `current` or the one after it) whose slot holds something.
    private func nextTick(notBefore first: UInt64) -> UInt64 {
        var earliest = UInt64.max
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level) * Self.slotBits
            // The slot that an upper wheel's hand stands on was emptied when the hand got there: what it holds now is
            // for the next turn.
            let position = level == 0 ? first : current >> shift + 1
            let ahead = rotateRight(occupied[level], by: position & 63).trailingZeroBitCount
            earliest = min(earliest, (position + UInt64(ahead)) << shift)
        }
        return earliest
    }

    /// Moves the entries of the slot that the hand of `level` stands on to the wheels below, once it gets there.
    private mutating func cascade(_ level: Int) {
        let shift = UInt64(level) * Self.slotBits
        guard current & ((1 << shift) - 1) == 0 else { return }
        let slot = level * Self.slots + Int((current >> shift) & 63)
        var id = heads[slot]
        clear(slot)
        while id != Self.none {
            let next = entries[Int(id)].next
            link(Int(id))
            id = next
        }
    }

    private mutating func fireSlot(_ slot: Int, _ fire: (Int) -> Void) {
        var id = heads[slot]
        guard id != Self.none else { return }
        clear(slot)
        while id != Self.none {
            let next = entries[Int(id)].next
            entries[Int(id)].slot = Self.none
            entries[Int(id)].deadline = .never
            fire(Int(id))
            id = next
        }
    }

    private mutating func clear(_ slot: Int) {
        heads[slot] = Self.none
        occupied[slot / Self.slots] &= ~(1 << UInt64(slot % Self.slots))
    }

    private mutating func link(_ id: Int) {
        // Rounded up to a tick, so that nothing fires early.
        let deadline = entries[id].deadline.nanoseconds
        let tick = max(deadline >> tickBits + (deadline & (1 << tickBits - 1) == 0 ? 0 : 1), current)
        let distance = tick - current
        var level = 0
        while level < Self.levels - 1, distance >> (UInt64(level + 1) * Self.slotBits) != 0 { level += 1 }
        let shift = UInt64(level) * Self.slotBits
        let reach = UInt64(Self.slots - 1) << shift
        let position = distance > reach ? current + reach : tick
        let slot = level * Self.slots + Int((position >> shift) & 63)

        let head = heads[slot]
        entries[id].slot = Int32(slot)
        entries[id].previous = Self.none
        entries[id].next = head
        if head != Self.none { entries[Int(head)].previous = Int32(id) }
        heads[slot] = Int32(id)
        occupied[level] |= 1 << UInt64(slot % Self.slots)
    }

    private mutating func unlink(_ id: Int) {
        let entry = entries[id]
        guard entry.slot != Self.none else { return }
        if entry.previous != Self.none {
            entries[Int(entry.previous)].next = entry.next
        } else {
            heads[Int(entry.slot)] = entry.next
            if entry.next == Self.none { clear(Int(entry.slot)) }
        }
        if entry.next != Self.none { entries[Int(entry.next)].previous = entry.previous }
        entries[id].slot = Self.none
    }

    private func rotateRight(_ bits: UInt64, by count: UInt64) -> UInt64 {
        count == 0 ? bits : bits >> count | bits << (64 - count)
    }
}
