import Support
import Wire

@testable import WireGuard

/// The wire between nodes, under Eve's control: she sees every datagram, and decides how long it takes, whether it
/// arrives, how often, and with which bits. Time goes from one event to the next, so that minutes take milliseconds.
final class Link {
    /// What befalls datagrams by chance; the seed says what exactly.
    struct Weather {
        var delay = Interval.milliseconds(20)
        /// Up to so much more, different for each datagram: what makes them overtake each other.
        var variation = Interval.seconds(0)
        var loss = 0.0
        var duplication = 0.0
        var corruption = 0.0
    }

    struct Sighting {
        var at: Instant
        var datagram: Datagram
    }

    let clock = VirtualClock()
    var weather = Weather()
    /// Eve's hand: what she returns goes on its way, an empty list drops it.
    var eve: (Datagram) -> [Datagram] = { [$0] }
    /// All that went on the wire, before anything befell it.
    private(set) var log: [Sighting] = []
    private(set) var nodes: [Node] = []
    /// What the weather took.
    private(set) var lost: [Datagram] = []
    private(set) var duplicates = 0

    private enum Event {
        case arrival(Datagram)
        case action(() -> Void)
    }
    /// By moment, the latest first; at one moment in the order they were made.
    private var events: [(at: Instant, event: Event)] = []
    private var random: SeededGenerator

    init(seed: UInt64 = 1) { random = SeededGenerator(seed: seed) }

    var now: Instant { clock.now }

    func attach(_ node: Node) { nodes.append(node) }

    /// A node stops, and another takes its place on the wire.
    func replace(_ node: Node, by other: Node) { nodes = nodes.map { $0 === node ? other : $0 } }

    /// Gives up what it has noted so far, for runs that last.
    func forgetLog() {
        log = []
        lost = []
    }

    func at(_ moment: Instant, _ action: @escaping () -> Void) { insert(moment, .action(action)) }

    /// Calls `action` with 0, 1, 2 … at regular moments, the first one now.
    func every(_ interval: Interval, times: Int, _ action: @escaping (Int) -> Void) {
        for step in 0..<times {
            insert(now + Interval(nanoseconds: interval.nanoseconds * UInt64(step)), .action { action(step) })
        }
    }

    /// Puts a datagram on the wire that no node sent; it arrives at once.
    func inject(_ datagram: Datagram) { insert(now, .arrival(datagram)) }

    func run(_ interval: Interval) { run(until: now + interval) }

    func run(until end: Instant) {
        collect()
        while let moment = nextMoment, moment <= end {
            clock.now = max(now, moment)
            while let event = events.last, event.at <= now {
                events.removeLast()
                switch event.event {
                case .arrival(let datagram): deliver(datagram)
                case .action(let action): action()
                }
                collect()
            }
            for node in nodes where node.engine.nextDeadline <= now { node.expire(now) }
            collect()
        }
        clock.now = end
    }

    private var nextMoment: Instant? {
        let deadline = nodes.reduce(Instant.never) { min($0, $1.engine.nextDeadline) }
        let moment = min(deadline, events.last?.at ?? .never)
        return moment == .never ? nil : moment
    }

    private func deliver(_ datagram: Datagram) {
        for node in nodes where node.endpoint.port == datagram.destination.port { node.receive(datagram, now) }
    }

    private func collect() {
        for node in nodes {
            for datagram in node.takeOutput() {
                log.append(Sighting(at: now, datagram: datagram))
                for passed in eve(datagram) { launch(passed) }
            }
        }
    }

    private func launch(_ datagram: Datagram) {
        guard !chance(weather.loss) else { return lost.append(datagram) }
        var datagram = datagram
        if chance(weather.corruption) {
            let bit = Int.random(in: 0..<8 * datagram.bytes.count, using: &random)
            datagram.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        let copies = chance(weather.duplication) ? 2 : 1
        duplicates += copies - 1
        for _ in 0..<copies {
            let extra = weather.variation.nanoseconds
            let variation = extra == 0 ? 0 : UInt64.random(in: 0...extra, using: &random)
            insert(now + weather.delay + Interval(nanoseconds: variation), .arrival(datagram))
        }
    }

    private func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &random) < probability
    }

    private func insert(_ at: Instant, _ event: Event) {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].at > at { low = middle + 1 } else { high = middle }
        }
        events.insert((at, event), at: low)
    }
}
