import Linux
import PacketPath
import Synchronization
import Wire

/// Has something done on every worker, between two turns, and waits until all have done it.
enum WorkerRound {
    /// How long a worker has; a turn takes microseconds. In parts, because the clock counts on while the machine sleeps: of a
    /// sleep no more than one part is taken for time that the workers had.
    private static let patience = (parts: 10, part: Interval.seconds(1))

    /// `errands` by worker, in slices of `slice` each, so that a long list holds up no packet for long. False when a
    /// worker did not do its part in time, which means that the router is ending.
    static func run(_ errands: [[Mailbox.Errand]], slice: Int, _ mailboxes: [Mailbox]) -> Bool {
        let longest = errands.map(\.count).max() ?? 0
        for start in stride(from: 0, to: longest, by: slice) {
            let parts = errands.map { $0[min(start, $0.count)..<min(start + slice, $0.count)] }
            guard runOnce(parts, mailboxes) else { return false }
        }
        return true
    }

    /// The same errand for every worker.
    static func run(_ mailboxes: [Mailbox], _ errand: @escaping Mailbox.Errand) -> Bool {
        runOnce(mailboxes.map { _ in [errand] }, mailboxes)
    }

    private static func runOnce(_ parts: [ArraySlice<Mailbox.Errand>], _ mailboxes: [Mailbox]) -> Bool {
        guard var wakeup = try? Epoll(), let bell = try? Doorbell(), (try? wakeup.add(bell.rawValue, token: 0)) != nil
        else { return false }
        let busy = parts.indices.filter { !parts[$0].isEmpty }
        guard !busy.isEmpty else { return true }
        let left = Remaining(busy.count)
        for index in busy {
            let part = parts[index]
            mailboxes[index].post { worker, now in
                for errand in part { errand(worker, now) }
                if left.count.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { bell.ring() }
            }
        }
        for _ in 0..<patience.parts {
            let deadline = Clocks.now() + patience.part
            while left.count.load(ordering: .acquiring) > 0 {
                let now = Clocks.now()
                guard now < deadline else { break }
                guard (try? wakeup.wait(until: deadline, now: now)) != nil else { return false }
            }
        }
        return left.count.load(ordering: .acquiring) == 0
    }

    private final class Remaining: Sendable {
        let count: Atomic<Int>
        init(_ count: Int) { self.count = Atomic(count) }
    }
}

/// Something that is not Sendable on its way to the one thread that has it from then on.
final class Handover<Value>: @unchecked Sendable {  // Sendable: its sender lets go of it, and one errand takes it
    let value: Value
    init(_ value: Value) { self.value = value }
}
