import Support
import Testing
import Wire

@testable import WireGuard

/// Two nodes in any weather, for as long as one likes: episodes of a seed's, and a calm after each, in which everything has
/// to be well again.
final class Simulation {
    /// Within so long of good weather a link is alive again, whatever was before: an initiation that is waited for in vain is
    /// repeated after 5.3 s, a session that the other side has forgotten is noticed after 15.3 s, and handshakes keep 5 s apart.
    static let recovery = Interval.seconds(30)
    /// The calm in which then every packet has to arrive.
    static let proof = Interval.seconds(10)
    /// More indices than one handshake and three sessions for the one peer there is.
    static let indexBound = 4

    private let seed: UInt64
    private var random: SeededGenerator
    private let pair: Pair
    private var alice: Node
    private var bob: Node
    private let nonces = NonceWatch()
    private let ledger = PacketLedger()
    private var incarnations: UInt64 = 0
    /// The latest that the wall clock has ever been: a node that starts anew has it from a server.
    private var latestWall: UInt64
    private(set) var episodes = 0
    private(set) var problems: [String] = []

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        pair = Pair(seed: seed)
        (alice, bob) = (pair.alice, pair.bob)
        latestWall = pair.link.clock.wall.seconds
        let nonces = nonces
        pair.link.eve = {
            nonces.see($0)
            return [$0]
        }
    }

    /// Runs for `hours` of the nodes' time, or until something is wrong.
    func run(hours: Int) {
        let end = pair.link.now + .seconds(UInt64(hours) * 3600)
        while pair.link.now < end, problems.isEmpty {
            episodes += 1
            let episode = Episode(&random)
            play(episode)
            calm(after: episode)
        }
    }

    var summary: String {
        "seed \(seed): \(episodes) episodes, \(ledger.sent) packets sent, \(ledger.arrived) arrived, \(nonces.messages) messages"
    }

    private func play(_ episode: Episode) {
        pair.link.weather = episode.weather
        befall(episode.mishap)
        talk(for: episode.length, every: episode.pace)
    }

    private func calm(after episode: Episode) {
        pair.link.weather = Link.Weather()
        talk(for: Self.recovery, every: .seconds(1))
        let numbers = talk(for: Self.proof, every: .milliseconds(500))
        pair.link.run(.seconds(1))
        collect(episode)
        let lost = numbers.filter { !ledger.hasArrived($0) }
        expect(lost.isEmpty, "\(lost.count) of \(numbers.count) packets lost in calm weather", episode)
    }

    private func expect(_ holds: Bool, _ problem: String, _ episode: Episode) {
        if !holds { problems.append("seed \(seed), episode \(episodes), \(episode): \(problem)") }
    }

    /// Both send a packet at that pace; their numbers.
    @discardableResult private func talk(for length: Interval, every pace: Interval) -> [UInt64] {
        var numbers: [UInt64] = []
        let end = pair.link.now + length
        while pair.link.now < end {
            for (node, peer) in [(alice, pair.toBob), (bob, pair.toAlice)] where node.engine.path(to: peer) != nil {
                let packet = ledger.make()
                numbers.append(packet.number)
                node.send(packet.bytes, to: peer, pair.link.now)
            }
            pair.link.run(min(pace, end - pair.link.now))
            for node in [alice, bob] { for delivery in node.takeDelivered() { ledger.arrive(delivery.bytes) } }
        }
        return numbers
    }

    /// What has to hold whatever the weather.
    private func collect(_ episode: Episode) {
        for node in [alice, bob] { for delivery in node.takeDelivered() { ledger.arrive(delivery.bytes) } }
        expect(nonces.reuses.isEmpty, "a nonce used twice: \(nonces.reuses)", episode)
        expect(ledger.twice.isEmpty, "delivered twice: \(ledger.twice)", episode)
        expect(ledger.altered == 0, "\(ledger.altered) packets altered", episode)
        for (name, node, peer) in [("alice", alice, pair.toBob), ("bob", bob, pair.toAlice)] {
            expect(
                node.engine.index.count <= Self.indexBound, "\(name) has \(node.engine.index.count) indices", episode)
            expect(node.stagedCount(peer) <= Limits.stagedPackets, "\(name) stages too much", episode)
        }
        pair.link.forgetLog()
        ledger.forget()
    }

    // MARK: Mishaps

    private func befall(_ mishap: Episode.Mishap) {
        let clock = pair.link.clock
        switch mishap {
        case .none, .outage, .silence: break
        case .aliceRestarts: alice = restart(alice, Pair.aliceKey, pair.toBob, Pair.bobKey, Pair.bobEndpoint)
        case .bobRestarts: bob = restart(bob, Pair.bobKey, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint)
        case .aliceRoams: alice.endpoint.port = .random(in: 1000...60_000, using: &random)
        case .wallClockJumpsAhead: setWall(clock.wall.seconds + .random(in: 1...3600, using: &random))
        case .wallClockJumpsBack: setWall(clock.wall.seconds - .random(in: 1...3600, using: &random))
        case .aliceForgets: forget(alice)
        case .bobForgets: forget(bob)
        }
    }

    private func setWall(_ seconds: UInt64) {
        latestWall = max(latestWall, seconds, pair.link.clock.wall.seconds)
        pair.link.clock.setWall(WallTime(seconds: seconds, nanoseconds: 0))
    }

    private func forget(_ node: Node) {
        node.engine.directory.beginEpoch()
        node.engine.forgetSessions(pair.link.now)
        node.settle(pair.link.now)
    }

    /// The clock of a node that starts is right: one that is behind the stamps it has sent cannot be told from a replay.
    private func restart(_ node: Node, _ key: [UInt8], _ peer: PeerID, _ peerKey: [UInt8], _ endpoint: Endpoint) -> Node
    {
        incarnations += 1
        setWall(latestWall + 2 * UInt64(Self.clockSlack.seconds))
        let fresh = Pair.node(key, node.endpoint, seed: seed &* 1_000_003 &+ incarnations, pair.link)
        Pair.introduce(fresh, peer, peerKey, endpoint, Pair.Side(), pair.link.now)
        pair.link.replace(node, by: fresh)
        return fresh
    }

    /// A node whose clock went back counts its stamps on from the last one, 17 ms for each handshake.
    private static let clockSlack = Interval.seconds(60)
}
