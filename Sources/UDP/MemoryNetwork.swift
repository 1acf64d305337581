import Wire

/// One datagram on a network in memory.
package struct MemoryDatagram: Sendable, Equatable {
    package var source: Endpoint
    package var destination: Endpoint
    package var bytes: [UInt8]
    package var trafficClass: UInt8
}

/// A network in memory, under virtual time: what `MemoryPort`s send arrives at others after a delay, or never, or
/// twice, as chance or the test decides. The same seed and the same calls give the same run.
///
/// Used from one thread.
package final class MemoryNetwork {
    /// What happens to every datagram; chances are 0…1, all off when left out.
    package struct Conditions: Sendable {
        package var delay: Interval
        package var loss: Double
        package var duplication: Double
        /// The chance that a datagram takes `detour` longer, so that later ones overtake it.
        package var reordering: Double
        package var detour: Interval

        package init(
            delay: Interval = .milliseconds(1), loss: Double = 0, duplication: Double = 0, reordering: Double = 0,
            detour: Interval = .milliseconds(2)
        ) {
            self.delay = delay
            self.loss = loss
            self.duplication = duplication
            self.reordering = reordering
            self.detour = detour
        }
    }

    /// What a test does to one datagram, before `conditions` apply to what is left.
    package enum Fate {
        case deliver
        case lose
        case delay(Interval)
        /// Arrives with other bytes, ends or marks.
        case replace(MemoryDatagram)
    }

    package var conditions: Conditions
    /// Asked about each datagram as it is sent.
    package var interfere: ((MemoryDatagram) -> Fate)?
    package private(set) var now = Instant(nanoseconds: 0)
    /// Datagrams lost on the way, by chance, by the test, or because nobody has their destination.
    package private(set) var lost = 0

    private var hosts: [MemoryHost] = []
    private var inFlight = DeliveryQueue()
    private var random: SplitMix64

    package init(seed: UInt64 = 1, conditions: Conditions = Conditions()) {
        self.conditions = conditions
        random = SplitMix64(state: seed)
    }

    /// A host with these addresses and one UDP port, which `workers` share.
    package func attach(addresses: [IPAddress], port: UInt16, workers: Int = 1) -> MemoryHost {
        let host = MemoryHost(addresses: addresses, port: port, workers: workers, network: self)
        hosts.append(host)
        return host
    }

    /// When the next datagram arrives; `.never` when none is on its way.
    package var nextDelivery: Instant { inFlight.first?.due ?? .never }

    /// Moves the clock on and puts what has arrived by then at its ports, in the order of arrival.
    package func advance(to moment: Instant) {
        now = max(now, moment)
        while let delivery = inFlight.first, delivery.due <= now {
            inFlight.removeFirst()
            let datagram = delivery.datagram
            guard let host = hosts.first(where: { $0.has(datagram.destination) }) else {
                lost += 1
                continue
            }
            host.deliver(datagram)
        }
    }

    func send(_ datagram: MemoryDatagram) {
        var datagram = datagram
        var delay = conditions.delay
        switch interfere?(datagram) ?? .deliver {
        case .deliver: break
        case .lose:
            lost += 1
            return
        case .delay(let more): delay = delay + more
        case .replace(let other): datagram = other
        }
        // Drawn each time, whether it matters or not, so that one condition does not shift the dice of another.
        let (loss, duplication, reordering) = (random.unit(), random.unit(), random.unit())
        if loss < conditions.loss {
            lost += 1
            return
        }
        if reordering < conditions.reordering { delay = delay + conditions.detour }
        inFlight.insert(datagram, due: now + delay)
        if duplication < conditions.duplication { inFlight.insert(datagram, due: now + delay) }
    }
}

/// Datagrams on their way, the earliest first and, of one moment, the one sent first: a binary heap.
private struct DeliveryQueue {
    struct Delivery {
        let due: Instant
        let sequence: UInt64
        let datagram: MemoryDatagram

        func isBefore(_ other: Delivery) -> Bool {
            due != other.due ? due < other.due : sequence < other.sequence
        }
    }

    private var heap: [Delivery] = []
    private var sequence: UInt64 = 0

    var first: Delivery? { heap.first }

    mutating func insert(_ datagram: MemoryDatagram, due: Instant) {
        heap.append(Delivery(due: due, sequence: sequence, datagram: datagram))
        sequence += 1
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least])
            {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
