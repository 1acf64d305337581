import Crypto
import UDP
import Wire

/// Two routers, each the other's peer, on a network in memory, at a time that goes on with each round.
final class RouterPair {
    let left: CountedRouter
    let right: CountedRouter
    private let network = MemoryNetwork(conditions: .init(delay: Interval(nanoseconds: 0)))

    private static let step = Interval.milliseconds(1)

    init() throws {
        // The same each time, so that each run takes the same steps.
        let entropy = Entropy.predictableForTests(seed: 1)
        let leftKey = PrivateKey.generate(from: entropy)
        let rightKey = PrivateKey.generate(from: entropy)
        left = try CountedRouter(1, leftKey, peer: 2, rightKey.publicKey, network, entropy)
        right = try CountedRouter(2, rightKey, peer: 1, leftKey.publicKey, network, entropy)
    }

    /// Turns until nobody has anything to do, and time goes on.
    func settle() {
        network.advance(to: network.now + Self.step)
        while left.turn(network.now) || right.turn(network.now) || network.nextDelivery <= network.now {
            network.advance(to: network.now)
        }
    }
}
