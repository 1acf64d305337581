import Crypto
import Locking
import Synchronization

/// The workers of a router, who lend each other a hand: one with nothing to do seals and opens for one that has too much.
///
/// What makes a fat peer faster than its owner is that the cipher is most of the work, and needs no more than a key, a counter
/// and memory. Nobody is asked who is not asleep: a worker with packets of its own is never kept from them.
package final class Crew: Sendable {
    /// A portion of a ticket, to be worked on by who has it.
    struct Portion {
        fileprivate let ticket: Ticket
        fileprivate let items: Range<Int>
        var owner: Int { ticket.owner }
    }

    private struct Contents {
        /// Those with portions that nobody has begun with, in the order in which they were offered.
        var tickets: [Ticket] = []
        var isAsleep: [Bool]
    }

    private let contents: Guarded<Contents>
    /// How many sleep. It may be out of date by a moment: who is asked by mistake goes back to sleep.
    private let asleep = Atomic(0)
    /// By worker.
    private let wake: [@Sendable () -> Void]

    package init(wake: [@Sendable () -> Void]) {
        self.wake = wake
        contents = Guarded(Contents(isAsleep: Array(repeating: false, count: wake.count)))
    }

    /// Whether somebody could help.
    var isSomebodyIdle: Bool { asleep.load(ordering: .relaxed) > 0 }

    /// Puts a ticket up for everybody, and wakes as many as it has portions for besides its owner.
    func offer(_ ticket: Ticket) {
        ticket.open()
        guard ticket.portions > 0 else { return }
        let woken = contents.withLock { contents -> [Int] in
            contents.tickets.append(ticket)
            var woken: [Int] = []
            for worker in contents.isAsleep.indices where contents.isAsleep[worker] && worker != ticket.owner {
                guard woken.count < ticket.portions - 1 else { break }
                contents.isAsleep[worker] = false
                woken.append(worker)
            }
            return woken
        }
        asleep.subtract(woken.count, ordering: .relaxed)
        for worker in woken { wake[worker]() }
    }

    /// A portion that nobody has begun with, of the worker's own tickets first.
    func take(for worker: Int) -> Portion? {
        contents.withLock { contents in
            guard !contents.tickets.isEmpty else { return nil }
            let index = contents.tickets.firstIndex { $0.owner == worker } ?? 0
            let ticket = contents.tickets[index]
            let portion = Portion(ticket: ticket, items: ticket.takePortion())
            if ticket.isTakenUp { contents.tickets.remove(at: index) }
            return portion
        }
    }

    /// Works on a portion, and tells its owner when it was the last one.
    func finish(_ portion: Portion, _ aead: AEAD) {
        portion.ticket.work(on: portion.items, aead)
        guard portion.ticket.endedPortion(), rouse(portion.owner) else { return }
        wake[portion.owner]()
    }

    /// Says that the worker is about to sleep; false, and it is not to, when there is something to help with. What it waits for
    /// is to be looked at after this: whatever comes about later wakes it.
    package func mayRest(_ worker: Int) -> Bool {
        let (mayRest, wasAsleep) = contents.withLock { contents -> (Bool, Bool) in
            let wasAsleep = contents.isAsleep[worker]
            guard contents.tickets.isEmpty else { return (false, wasAsleep) }
            contents.isAsleep[worker] = true
            return (true, wasAsleep)
        }
        if mayRest, !wasAsleep { asleep.add(1, ordering: .relaxed) }
        return mayRest
    }

    /// The worker is up, whoever has woken it.
    package func isUp(_ worker: Int) { _ = rouse(worker) }

    private func rouse(_ worker: Int) -> Bool {
        let wasAsleep = contents.withLock { contents in
            defer { contents.isAsleep[worker] = false }
            return contents.isAsleep[worker]
        }
        if wasAsleep { asleep.subtract(1, ordering: .relaxed) }
        return wasAsleep
    }
}
