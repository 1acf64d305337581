import Crypto
import Pipeline
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
    fileprivate var ends: [Int] = []
    /// The next portion that nobody has begun with: the crew's, under its lock.
    private var next = 0
    private let unfinished = Atomic(0)

    init(owner: Int) { self.owner = owner }

    /// Works on some of the items, on any thread.
    func work(on items: Range<Int>, _ aead: AEAD) { preconditionFailure("a ticket has work") }

    // MARK: The owner's

    func begin(_ interface: InterfaceID, _ now: Instant) { (self.interface, self.now) = (interface, now) }

    /// To be called before others see the ticket: it is in portions now.
    func open() {
        next = 0
        unfinished.store(ends.count, ordering: .releasing)
    }

    var portions: Int { ends.count }

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

/// Work for the cipher, in items that are independent of each other but for the bounds of portions.
protocol CipherWork: ~Copyable {
    init(pool: BufferPool)
    /// Where each portion ends, counted in items, when all is there.
    var portions: [Int] { get }
    /// Reads and writes what the items name, and nothing else.
    func work(on items: Range<Int>, _ aead: AEAD)
}

/// A ticket with its work, which the owner fills and takes up.
final class WorkTicket<Work: CipherWork & ~Copyable>: Ticket, @unchecked Sendable {
    var contents: Work

    init(owner: Int, pool: BufferPool) {
        contents = Work(pool: pool)
        super.init(owner: owner)
    }

    /// Nothing more is added.
    func close() { ends = contents.portions }

    override func work(on items: Range<Int>, _ aead: AEAD) { contents.work(on: items, aead) }

    /// Everything at once, on the owner's thread.
    func workAlone(_ aead: AEAD) { contents.work(on: 0..<(ends.last ?? 0), aead) }
}
