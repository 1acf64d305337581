import Pipeline
import Wire

/// The packets that a stage holds, each in a place of its own, and the lists that they wait in.
///
/// The places are one array, which grows to what was needed at once and stays; a list is a number for its first and
/// one for its last place, so that moving a packet from one list to another copies nothing.
@safe struct PacketStore: ~Copyable {
    struct List {
        fileprivate(set) var first = PacketStore.nowhere
        fileprivate var last = PacketStore.nowhere
        var isEmpty: Bool { first < 0 }
    }

    /// What is known of a packet without looking at it.
    struct Note {
        /// As it is charged.
        let bytes: Int
        let arrival: Instant
        /// What its buffer takes.
        let memory: Int
    }

    private static let nowhere: Int32 = -1
    private static let firstCapacity = 64

    private var places: UnsafeMutablePointer<Packet>
    private var capacity: Int
    private var notes: ContiguousArray<Note>
    private var next: ContiguousArray<Int32>
    private var spare = nowhere
    private var used = 0
    private(set) var count = 0
    /// Of all buffers that are held.
    private(set) var memory = 0

    init() {
        capacity = Self.firstCapacity
        unsafe places = .allocate(capacity: capacity)
        notes = []
        next = []
    }

    deinit {
        // A spare place holds nothing.
        var isSpare = ContiguousArray(repeating: false, count: used)
        var place = spare
        while place >= 0 {
            isSpare[Int(place)] = true
            place = next[Int(place)]
        }
        for place in 0..<used where !isSpare[place] { unsafe (places + place).deinitialize(count: 1) }
        unsafe places.deallocate()
    }

    /// What is known of the first packet of a list that is not empty.
    func note(ofFirst list: List) -> Note { notes[Int(list.first)] }

    mutating func append(_ packet: consuming Packet, _ note: Note, to list: inout List) {
        memory += note.memory
        count += 1
        let place = takePlace(note)
        unsafe (places + Int(place)).initialize(to: packet)
        link(place, to: &list)
    }

    /// The first packet leaves the store.
    mutating func removeFirst(_ list: inout List) -> Packet? {
        guard !list.isEmpty else { return nil }
        let place = unlink(&list)
        memory -= notes[Int(place)].memory
        count -= 1
        let packet = unsafe (places + Int(place)).move()
        next[Int(place)] = spare
        spare = place
        return packet
    }

    /// Lets the first packet be looked at and changed where it is.
    mutating func withFirst<Result>(_ list: List, _ body: (inout Packet) -> Result) -> Result? {
        guard !list.isEmpty else { return nil }
        return unsafe body(&places[Int(list.first)])
    }

    /// The first packet of one list becomes the last one of the other.
    mutating func moveFirst(_ list: inout List, to other: inout List) { link(unlink(&list), to: &other) }

    private func unlink(_ list: inout List) -> Int32 {
        let place = list.first
        list.first = next[Int(place)]
        if list.first < 0 { list.last = Self.nowhere }
        return place
    }

    private mutating func link(_ place: Int32, to list: inout List) {
        next[Int(place)] = Self.nowhere
        if list.last >= 0 { next[Int(list.last)] = place } else { list.first = place }
        list.last = place
    }

    private mutating func takePlace(_ note: Note) -> Int32 {
        if spare >= 0 {
            let place = spare
            spare = next[Int(place)]
            notes[Int(place)] = note
            return place
        }
        if used == capacity { grow() }
        notes.append(note)
        next.append(Self.nowhere)
        used += 1
        return Int32(used - 1)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Packet>.allocate(capacity: 2 * capacity)
        // No place is spare now.
        unsafe larger.moveInitialize(from: places, count: used)
        unsafe places.deallocate()
        unsafe places = larger
        capacity *= 2
    }
}
