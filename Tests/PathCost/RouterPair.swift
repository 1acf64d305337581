import Crypto
import Pipeline
import UDP
import Wire

/// Two routers, each the other's peer, on a network in memory, at a time that goes on with each round.
final class RouterPair {
    let left: CountedRouter
    let right: CountedRouter
    /// One thread has them all.
    let pool = BufferPool()
    private let network = MemoryNetwork(conditions: .init(delay: Interval(nanoseconds: 0)))

    private static let step = Interval.milliseconds(1)

    init(aead: AEAD = .libsodium) throws {
        // The same each time, so that each run takes the same steps.
        let entropy = Entropy.predictableForTests(seed: 1)
        let leftKey = PrivateKey.generate(from: entropy)
        let rightKey = PrivateKey.generate(from: entropy)
        left = try CountedRouter(1, leftKey, peer: 2, rightKey.publicKey, network, pool, entropy, aead)
        right = try CountedRouter(2, rightKey, peer: 1, leftKey.publicKey, network, pool, entropy, aead)
    }

    /// With a session, which the first packet has waited for.
    static func connected(aead: AEAD = .libsodium) throws -> RouterPair {
        let pair = try RouterPair(aead: aead)
        pair.left.send(1)
        pair.settle()
        return pair
    }

    var now: Instant { network.now }

    /// Turns until nobody has anything to do, and time goes on.
    func settle() { settle(after: Self.step) }

    /// The same after a while, with what is due by then.
    func settle(after pause: Interval) {
        network.advance(to: network.now + pause)
        while left.turn(network.now) || right.turn(network.now) || network.nextDelivery <= network.now {
            network.advance(to: network.now)
        }
    }
}
