import Support
import Wire

/// One stretch of bad weather between two nodes, drawn from a seed: what the wire does, and what befalls a node.
struct Episode {
    enum Mishap: CaseIterable {
        case none
        /// A node stops, and another one takes its place that remembers its keys and nothing else.
        case aliceRestarts, bobRestarts
        /// Alice's datagrams come from another port from now on.
        case aliceRoams
        case wallClockJumpsAhead, wallClockJumpsBack
        /// A node has slept, or was copied.
        case aliceForgets, bobForgets
        /// Nothing gets through.
        case outage
        /// Nobody has anything to say: sessions run out.
        case silence
    }

    let weather: Link.Weather
    let mishap: Mishap
    let length: Interval
    /// Between two packets of one node.
    let pace: Interval

    init(_ random: inout SeededGenerator) {
        func upTo(_ bound: UInt64) -> UInt64 { .random(in: 0...bound, using: &random) }
        func chance(_ most: Double) -> Double {
            Bool.random(using: &random) ? 0 : .random(in: 0...most, using: &random)
        }
        mishap = Mishap.allCases.randomElement(using: &random) ?? .none
        var weather = Link.Weather()
        weather.delay = .milliseconds(1 + upTo(400))
        weather.variation = .milliseconds(Bool.random(using: &random) ? 0 : upTo(800))
        weather.loss = mishap == .outage ? 1 : chance(0.4)
        weather.duplication = chance(0.2)
        weather.corruption = chance(0.1)
        self.weather = weather
        length = .seconds(10 + upTo(590))
        pace = .milliseconds(mishap == .silence ? 3_600_000 : 200 + upTo(4000))
    }
}
