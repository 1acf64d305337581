import Pipeline
import Testing
import Wire

@testable import RateLimit

/// Greedy flows beside a ping: how long the ping waits.
@Suite struct DelayTests {
    /// The sender of a TCP flow: additive increase, one halving a round trip for what is lost. All packets of 1420 bytes.
    private struct Sender {
        var window = 10.0
        var inFlight = 0
        var lastHalving: UInt64 = 0

        mutating func acknowledge() {
            inFlight -= 1
            window += 1 / window
        }

        mutating func lose(_ now: UInt64, _ roundTrip: UInt64) {
            inFlight -= 1
            guard now - lastHalving > roundTrip else { return }
            lastHalving = now
            window = max(2, window / 2)
        }
    }

    /// What holds the packets: the stage, or a plain queue behind a bucket.
    private protocol Bottleneck {
        mutating func offer(_ packet: (flow: Int, sent: UInt64), _ now: UInt64)
        /// What departs until then.
        mutating func run(_ now: UInt64) -> [(flow: Int, sent: UInt64, at: UInt64)]
        /// Flows that have lost a packet since the last call.
        mutating func takeLosses() -> [Int]
    }

    private static let packet = 1420
    private static let ping = 84
    private static let pingFlow = 99

    private static func size(_ flow: Int) -> Int { flow == pingFlow ? ping : packet }

    private struct Shaped: Bottleneck {
        let bench: Bench
        var waiting: [Int: [UInt64]] = [:]
        var losses: [Int] = []

        init(_ rate: BitRate) {
            bench = Bench(Limit(down: rate), at: 0)
            bench.add(0)
        }

        mutating func offer(_ packet: (flow: Int, sent: UInt64), _ now: UInt64) {
            waiting[packet.flow, default: []].append(packet.sent)
            bench.down(
                Packets.udp(flow: packet.flow, bytes: size(packet.flow), mark: Int(packet.sent / 1000)))
        }

        mutating func run(_ now: UInt64) -> [(flow: Int, sent: UInt64, at: UInt64)] {
            bench.run(Interval(nanoseconds: now - bench.now.nanoseconds))
            return bench.takeDepartures().map { departure in
                let flow = Packets.flow(departure.bytes)
                let sent = UInt64(Packets.mark(departure.bytes)) * 1000
                // What was sent before it and has not departed is lost: a flow keeps its order.
                while let first = waiting[flow]?.first, first < sent {
                    losses.append(flow)
                    waiting[flow]?.removeFirst()
                }
                if waiting[flow]?.first == sent { waiting[flow]?.removeFirst() }
                return (flow, sent, departure.at)
            }
        }

        mutating func takeLosses() -> [Int] {
            defer { losses = [] }
            return losses
        }
    }

    /// First in, first out, with room for 1 MB.
    private struct Fifo: Bottleneck {
        private static let bound = 1_000_000
        var bucket: TokenBucket
        var queue: [(flow: Int, sent: UInt64)] = []
        var bytes = 0
        var moment = Instant(nanoseconds: 0)
        var losses: [Int] = []

        init(_ rate: BitRate) {
            bucket = TokenBucket(rate, burst: ByteCount(3000), now: Instant(nanoseconds: 0))
        }

        mutating func offer(_ packet: (flow: Int, sent: UInt64), _ now: UInt64) {
            guard bytes < Self.bound else {
                losses.append(packet.flow)
                return
            }
            queue.append(packet)
            bytes += size(packet.flow)
        }

        mutating func run(_ now: UInt64) -> [(flow: Int, sent: UInt64, at: UInt64)] {
            var gone: [(flow: Int, sent: UInt64, at: UInt64)] = []
            while let first = queue.first {
                let ready = bucket.readiness(max(moment, Instant(nanoseconds: first.sent)))
                guard ready.nanoseconds <= now else { break }
                moment = ready
                bucket.charge(size(first.flow))
                bytes -= size(first.flow)
                gone.append((first.flow, first.sent, ready.nanoseconds))
                queue.removeFirst()
            }
            return gone
        }

        mutating func takeLosses() -> [Int] {
            defer { losses = [] }
            return losses
        }
    }

    /// The delays of a ping each 10 ms beside four greedy flows with a round trip of 30 ms, over 8 s of which the first
    /// two do not count; and the bits of all a second.
    private func run(_ queue: some Bottleneck) -> (delays: [UInt64], rate: Double) {
        var queue = queue
        let roundTrip: UInt64 = 30_000_000
        var senders = Array(repeating: Sender(), count: 4)
        var acknowledgements: [(at: UInt64, flow: Int)] = []
        var delays: [UInt64] = []
        var bytes = 0
        let (step, end, start) = (UInt64(500_000), UInt64(8_000_000_000), UInt64(2_000_000_000))
        for now in stride(from: step, through: end, by: Int(step)) {
            for departure in queue.run(now) {
                if departure.at > start { bytes += Self.size(departure.flow) }
                if departure.flow == Self.pingFlow {
                    if departure.sent > start { delays.append(departure.at - departure.sent) }
                } else {
                    acknowledgements.append((departure.at + roundTrip, departure.flow))
                }
            }
            for flow in queue.takeLosses() where flow != Self.pingFlow { senders[flow].lose(now, roundTrip) }
            while let first = acknowledgements.first, first.at <= now {
                acknowledgements.removeFirst()
                senders[first.flow].acknowledge()
            }
            var order: UInt64 = 0
            for flow in senders.indices {
                while senders[flow].inFlight < Int(senders[flow].window) {
                    senders[flow].inFlight += 1
                    queue.offer((flow, now + order * 1000), now)
                    order += 1
                }
            }
            if now % 10_000_000 == 0 { queue.offer((Self.pingFlow, now), now) }
        }
        return (delays.sorted(), Double(bytes) * 8 / (Double(end - start) / 1e9))
    }

    @Test(arguments: [5, 50] as [UInt64])
    func `four greedy flows leave a ping under 20 ms, and a plain queue does not`(rate: UInt64) {
        let shaped = run(Shaped(.mbit(rate)))
        let plain = run(Fifo(.mbit(rate)))
        let (ours, theirs) = (
            shaped.delays[shaped.delays.count * 99 / 100], plain.delays[plain.delays.count * 99 / 100]
        )
        print("\(rate) Mbit/s: p99 of the ping \(ours / 1000) µs, behind a plain queue \(theirs / 1000) µs")
        #expect(shaped.delays.count > 590, "no ping is lost")
        #expect(ours < 20_000_000)
        #expect(theirs > 60_000_000)
        // And the rate is used: the senders' windows are never empty.
        #expect(abs(shaped.rate / Double(rate * 1_000_000) - 1) < 0.01)
    }
}
