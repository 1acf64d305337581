import Crypto
import Synchronization
import Wire

/// A batch on its way through the cipher, in portions that several threads may work on at once.
///
/// The owner of the peers fills it: there counters are given out, and room for what comes of it. When all portions are done the
/// owner takes it up again, ticket by ticket in the order in which they were filled, whoever has worked on which: so the order
/// within a flow holds, and everything but the cipher itself is the owner's alone.
///
/// Sendable because its owner has it alone, but for the time from `Crew.offer` to the end of its last portion. In between
/// whoever has a portion reads and writes what the portion's items name, and no two portions name the same memory.
class Ticket: @unchecked Sendable {
    /// The worker that it comes from.
    let owner: Int
    private(set) var interface = InterfaceID(0)
    private(set) var now = Instant(nanoseconds: 0)

    /// Where each portion ends, counted in items.
    private var ends: [Int] = []
    /// The next portion that nobody has begun with: the crew's, under its lock.
    private var next = 0
    private let unfinished = Atomic(0)

    init(owner: Int) { self.owner = owner }

    /// Works on some of the items, on any thread.
    func work(on items: Range<Int>, _ aead: AEAD) { preconditionFailure("a ticket is for sealing or for opening") }

    // MARK: The owner's

    func begin(_ interface: InterfaceID, _ now: Instant) {
        (self.interface, self.now) = (interface, now)
        ends.removeAll(keepingCapacity: true)
        next = 0
    }

    /// All items up to here that are in no portion yet are one.
    func endPortion(at item: Int) { if item > (ends.last ?? 0) { ends.append(item) } }

    var portions: Int { ends.count }

    /// To be called before others see the ticket.
    func open() { unfinished.store(ends.count, ordering: .releasing) }

    /// Whether all that was begun has ended: the ticket is its owner's again.
    var isDone: Bool { unfinished.load(ordering: .acquiring) == 0 }

    // MARK: The crew's

    var isTakenUp: Bool { next == ends.count }

    /// The items of the next portion.
    func takePortion() -> Range<Int> {
        defer { next += 1 }
        return (next == 0 ? 0 : ends[next - 1])..<ends[next]
    }

    /// A portion is done; true for the last one.
    func endedPortion() -> Bool { unfinished.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
