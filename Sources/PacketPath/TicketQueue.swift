import Pipeline
import Wire

/// A worker's tickets of one direction that are under way, in order, and those that are not in use.
struct TicketQueue<Work: CipherWork & ~Copyable> {
    /// From so many on the worker reads nothing more that would become another one: one to be worked on while the next is
    /// filled. (What other workers hand over comes on top, and is bounded by the mailbox.)
    static var readingBound: Int { 2 }

    private var underWay = Fifo<WorkTicket<Work>>()
    private var spare: [WorkTicket<Work>] = []
    private let owner: Int
    private let pool: BufferPool

    init(owner: Int, pool: BufferPool) { (self.owner, self.pool) = (owner, pool) }

    var isEmpty: Bool { underWay.isEmpty }
    var isFull: Bool { underWay.count >= Self.readingBound }
    var isFirstDone: Bool { underWay.first.map(\.isDone) ?? false }

    /// One to be filled.
    mutating func take() -> WorkTicket<Work> { spare.popLast() ?? WorkTicket(owner: owner, pool: pool) }

    mutating func append(_ ticket: WorkTicket<Work>) { underWay.append(ticket) }

    /// The first, if it is done and of this interface: only then may another one follow.
    mutating func popDone(on interface: InterfaceID) -> WorkTicket<Work>? {
        guard let first = underWay.first, first.interface == interface, first.isDone else { return nil }
        return underWay.popFirst()
    }

    /// It has been taken up.
    mutating func recycle(_ ticket: WorkTicket<Work>) { if spare.count < Self.readingBound { spare.append(ticket) } }
}
