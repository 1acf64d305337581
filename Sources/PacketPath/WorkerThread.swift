import Linux
import Pipeline
import Synchronization
import TUN
import UDP
import Wire

/// A worker on a thread of its own: sleeps until one of its ends, its mailbox or a deadline wants it.
package final class WorkerThread: Sendable {
    /// What a readiness event is about: the low 32 bits are the interface.
    private enum Token {
        static let tun: UInt64 = 1 << 32
        static let udp: UInt64 = 2 << 32
        static let mailbox: UInt64 = 3 << 32
        static let kind: UInt64 = 0xffff_ffff_0000_0000
    }

    /// The least that the kernel grants. A turn takes some 10 to 100 µs; packets that wait for the end of other threads'
    /// slices wait for milliseconds.
    private static let slice = Interval.microseconds(100)

    private let wakeup: EventDescriptor
    private let stopped = Atomic(false)

    package init() throws(Errno) { wakeup = try EventDescriptor() }

    /// For the worker's mailbox.
    package func wake() { wakeup.signal() }

    package func stop() {
        stopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Runs turns until `stop`. `observe` is called after each turn, outside of the stages; `failed` when a TUN device
    /// is out of order and no longer waited for.
    package func run(
        _ worker: Worker, observe: (Worker) -> Void, failed: (InterfaceID, Errno) -> Void
    ) throws(Errno) {
        // Everything, and the mailbox alone.
        var epoll = try Epoll()
        var mail = try Epoll()
        try mail.add(wakeup.rawValue, token: Token.mailbox)
        try epoll.add(wakeup.rawValue, token: Token.mailbox)
        for (index, queue) in worker.tun.queues.enumerated() {
            if let descriptor = queue.device.descriptor {
                try epoll.add(descriptor, token: Token.tun | UInt64(index))
            }
        }
        for (index, port) in worker.udp.ports.enumerated() {
            for descriptor in port.descriptors { try epoll.add(descriptor, token: Token.udp | UInt64(index)) }
        }

        Thread.preferLatency(slice: Self.slice)
        worker.warm()
        var now = Clocks.now()
        // Of no use to a worker that nobody can help.
        var crowding: Crowding?
        if worker.wireGuard.crew != nil { crowding = Crowding(now) }
        while !stopped.load(ordering: .acquiring) {
            let ready = try sleep(worker, &epoll, &mail, now)
            now = Clocks.now()
            // Cleared before the mail is taken: what comes in between rings again. And the mail first of all, because a
            // flow that comes to its owner's own queue must not overtake what was handed over before.
            for event in 0..<ready where epoll[event].token == Token.mailbox { _ = wakeup.clear() }
            worker.wireGuard.isCrowded = crowding?.look(now) ?? true
            worker.takeMail(now)
            for (interface, old) in worker.udp.takeReplaced() {
                for descriptor in old.descriptors { try epoll.remove(descriptor) }
                for descriptor in worker.udp.ports[interface.index].descriptors {
                    try epoll.add(descriptor, token: Token.udp | UInt64(interface.index))
                }
            }
            for (interface, old) in worker.tun.takeReplaced() {
                if let descriptor = old.device.descriptor { try? epoll.remove(descriptor) }
                if let descriptor = worker.tun.queues[interface.index].device.descriptor {
                    try epoll.add(descriptor, token: Token.tun | UInt64(interface.index))
                }
            }
            for event in 0..<ready {
                let token = epoll[event].token
                let interface = InterfaceID(Int(token & ~Token.kind))
                switch token & Token.kind {
                case Token.tun:
                    guard let failure = worker.takeOutbound(interface, now) else { break }
                    if let descriptor = worker.tun.queues[interface.index].device.descriptor {
                        try epoll.remove(descriptor)
                    }
                    failed(interface, failure)
                case Token.udp:
                    worker.takeInbound(interface, now)
                default:
                    break
                }
            }
            worker.originate(now)
            observe(worker)
            // One portion, and then the ends again: what is there waits for no longer than that takes.
            _ = worker.wireGuard.help()
        }
    }

    /// Waits until there is something to do; how many of `ends` are ready.
    private func sleep(
        _ worker: Worker, _ ends: inout Epoll, _ mail: inout Epoll, _ now: Instant
    ) throws(Errno) -> Int {
        guard let crew = worker.wireGuard.crew else { return try ends.wait(until: worker.nextDeadline, now: now) }
        guard crew.mayRest(worker.id) else { return try ends.wait(until: now, now: now) }
        defer { crew.isUp(worker.id) }
        // Asked only now, because what comes about from here on rings.
        let deadline = worker.nextDeadline
        guard worker.isHeldUp, deadline > now else { return try ends.wait(until: deadline, now: now) }
        // The ends may be ready, and nothing is to be taken from them: whoever ends what is under way rings.
        if try mail.wait(until: deadline, now: now) > 0 { wakeup.clear() }
        return 0
    }
}
