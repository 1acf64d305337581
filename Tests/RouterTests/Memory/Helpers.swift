import Crypto
import Support

@testable import PacketPath

/// The workers of a router in memory as each other's helpers, who take portions up and end them in an order of chance.
final class Helpers {
    let crew: Crew
    private let workers: Int
    private var random: SeededGenerator
    private var begun: [Crew.Portion] = []
    /// How many portions were ended by others than their owner, and while an earlier one of theirs was not.
    private(set) var helped = 0
    private(set) var overtaken = 0

    init(workers: Int, seed: UInt64) {
        crew = Crew(wake: (0..<workers).map { _ in {} })
        self.workers = workers
        random = SeededGenerator(seed: seed)
    }

    /// Everybody else has nothing to do.
    func rest(except busy: Int) {
        for worker in 0..<workers {
            crew.isUp(worker)
            if worker != busy { _ = crew.mayRest(worker) }
        }
    }

    /// False when there was nothing to work on.
    func work() -> Bool {
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            guard let portion = take() else { break }
            begun.append(portion)
        }
        if begun.isEmpty, let portion = take() { begun.append(portion) }
        guard !begun.isEmpty else { return false }
        let index = Int.random(in: begun.indices, using: &random)
        if index > 0 { overtaken += 1 }
        crew.finish(begun.remove(at: index), .libsodium)
        return true
    }

    private func take() -> Crew.Portion? {
        let worker = Int.random(in: 0..<workers, using: &random)
        guard let portion = crew.take(for: worker) else { return nil }
        if portion.owner != worker { helped += 1 }
        return portion
    }
}
