import Locking
import Pipeline
import Wire

/// Packets that one worker read and another one owns, on their way between them.
///
/// Passed as a whole: whoever has the parcel has its packets, so the batch needs no lock.
///
/// Sendable because it has one holder at a time, and changes hands under the mailbox's lock.
final class Parcel: @unchecked Sendable {
    /// It changes threads, so it may not reach into any worker's pool: what is dropped in it is freed.
    var batch = PacketBatch(pool: BufferPool(smallBound: 0, largeBound: 0))
    /// Outbound it goes on below the stage that found the peer, inbound at the stage that opens it.
    var direction = Direction.outbound
    /// As many buffers as came with the packets, on their way back. Without them a worker that always reads for others
    /// would allocate for every packet, and the others free.
    let spares = BufferPool(smallBound: PacketBatch.capacity, largeBound: PacketBatch.capacity)
}

/// What other threads have for a worker. The only lock that data packets meet: a worker takes it once a turn, to look
/// for mail, and once a batch where a peer's packets arrive at a worker that does not own it.
package final class Mailbox: Sendable {
    /// The most parcels that wait; more are dropped and counted by the sender.
    static let parcelBound = 64
    /// The most errands that wait when another one may be left out.
    static let errandBound = 256
    /// Empty parcels kept for the next sender.
    private static let emptyBound = 8

    package typealias Errand = @Sendable (Worker, Instant) -> Void

    private struct Contents: ~Copyable {
        var parcels: [Parcel] = []
        var empties: [Parcel] = []
        var errands: [Errand] = []
        var isIdle: Bool { parcels.isEmpty && errands.isEmpty }
    }

    private let contents = Guarded(Contents())
    /// Wakes the worker's thread; called when the mailbox stops being empty.
    private let wake: @Sendable () -> Void

    package init(wake: @escaping @Sendable () -> Void = {}) { self.wake = wake }

    /// Hands `parcel` over and gives back an empty one where there is one; nil and no change when the mailbox is full.
    func send(_ parcel: Parcel) -> (sent: Bool, empty: Parcel?) {
        let (sent, empty, wasIdle) = contents.withLock { contents -> (Bool, Parcel?, Bool) in
            guard contents.parcels.count < Self.parcelBound else { return (false, nil, false) }
            let wasIdle = contents.isIdle
            contents.parcels.append(parcel)
            return (true, contents.empties.popLast(), wasIdle)
        }
        if wasIdle { wake() }
        return (sent, empty)
    }

    /// Runs `errand` on the worker's thread between two batches. For what the router itself wants done.
    package func post(_ errand: @escaping Errand) { _ = post(errand, within: .max) }

    /// As `post`, for errands that a stranger's datagram can bring about: false and no change when too many wait.
    package func offer(_ errand: @escaping Errand) -> Bool { post(errand, within: Self.errandBound) }

    private func post(_ errand: @escaping Errand, within bound: Int) -> Bool {
        let (posted, wasIdle) = contents.withLock { contents in
            guard contents.errands.count < bound else { return (false, false) }
            let wasIdle = contents.isIdle
            contents.errands.append(errand)
            return (true, wasIdle)
        }
        if wasIdle { wake() }
        return posted
    }

    /// Everything that has come, in order.
    func collect() -> (parcels: [Parcel], errands: [Errand]) {
        contents.withLock { contents in
            guard !contents.isIdle else { return ([], []) }
            let all = (contents.parcels, contents.errands)
            contents.parcels = []
            contents.errands = []
            return all
        }
    }

    func giveBack(_ parcels: [Parcel]) {
        contents.withLock { contents in
            contents.empties.append(contentsOf: parcels.prefix(Self.emptyBound - contents.empties.count))
        }
    }
}
