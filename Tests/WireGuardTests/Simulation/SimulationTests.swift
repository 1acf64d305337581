import Foundation
import Testing

@testable import WireGuard

/// A hundred hours in any weather with every run of the tests; `etc/simulate` runs as many as one likes.
@Suite struct SimulationTests {
    /// `etc/simulate` says how many hours, and from which seed on.
    private static let wish = ProcessInfo.processInfo.environment["FULLBORE_SIMULATE"]
    private static let asked = wish?.split(separator: " ").compactMap { UInt64($0) }
    /// The hours of one seed: what a failure has to be replayed for, at the most.
    private static let hoursOfSeed = 25

    private static var seeds: Range<UInt64> {
        guard let asked, asked.count == 2 else { return 1..<5 }
        let count = max(1, (asked[0] + UInt64(hoursOfSeed) - 1) / UInt64(hoursOfSeed))
        return asked[1]..<asked[1] + count
    }

    @Test(arguments: seeds) func aLiveLinkRecoversAndNothingIsSaidTwice(seed: UInt64) {
        let simulation = Simulation(seed: seed)
        simulation.run(hours: Self.hoursOfSeed)
        for problem in simulation.problems { Issue.record("\(problem)") }
        if Self.asked != nil { print("\(simulation.summary)") }
        #expect(simulation.episodes > 50)
    }
}
