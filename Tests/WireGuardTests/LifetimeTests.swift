import Crypto
import Testing
import Wire

@testable import WireGuard

/// Peers, sessions and indices: each is counted when it is made and when it is gone, as the kernel's test counts the
/// "created" and "destroyed" of its log.
@Suite struct LifetimeTests {
    /// Sees objects come, and can tell how many of them are still there, without keeping any.
    private final class Census<Object: AnyObject> {
        private struct Entry { weak var object: Object? }
        private var entries: [ObjectIdentifier: Entry] = [:]
        private(set) var made = 0

        func see(_ object: Object?) {
            guard let object else { return }
            // A new one may stand where an earlier one stood.
            if entries[ObjectIdentifier(object)]?.object == nil { made += 1 }
            entries[ObjectIdentifier(object)] = Entry(object: object)
        }

        var alive: Int { entries.values.count { $0.object != nil } }
    }

    private final class Counts {
        let peers = Census<Peer>()
        let remotes = Census<RemotePeer>()
        let sessions = Census<Keypair>()

        func look(_ pair: Pair) {
            for peer in [pair.alice, pair.bob].flatMap({ $0.engine.peers.compactMap { $0 } }) {
                peers.see(peer)
                remotes.see(peer.remote)
                for keypair in [peer.keypairs.current, peer.keypairs.previous, peer.keypairs.next] {
                    sessions.see(keypair)
                }
            }
        }
    }

    private static func indices(_ pair: Pair) -> [Int] { [pair.alice, pair.bob].map(\.engine.index.count) }

    @Test func `N-40 sessions and their indices are gone when their time is over, however many there were`() {
        let pair = Pair()
        let counts = Counts()
        pair.connect()
        counts.look(pair)
        // An hour of talk, with a new session every two minutes.
        for second in 0..<3600 {
            pair.aliceSends(Pair.packet(second))
            pair.bobSends(Pair.packet(second))
            pair.link.run(.seconds(1))
            counts.look(pair)
            #expect(Self.indices(pair).allSatisfy { $0 <= 3 }, "three slots at most")
        }
        let handshakes = pair.sightings(from: pair.bob, .response).count
        #expect(handshakes > 25)
        #expect(counts.sessions.made == 2 * handshakes, "one at each end")
        #expect(counts.sessions.alive <= 4)
        pair.link.run(.seconds(600))
        #expect(counts.sessions.alive == 0)
        #expect(Self.indices(pair) == [0, 0])
        #expect(counts.peers.made == 2 && counts.peers.alive == 2)
    }

    @Test func `N-40 peers are gone with all that was theirs, also when a handshake is under way`() {
        let pair = Pair()
        let counts = Counts()
        for round in 0..<50 {
            if round > 0 {
                Pair.introduce(pair.alice, pair.toBob, Pair.bobKey, Pair.bobEndpoint, Pair.Side(), pair.link.now)
                Pair.introduce(pair.bob, pair.toAlice, Pair.aliceKey, Pair.aliceEndpoint, Pair.Side(), pair.link.now)
            }
            if round % 3 > 0 { pair.connect() }
            if round % 3 == 0 { pair.aliceSends(Pair.packet(round)) }
            counts.look(pair)
            // Asked for, and computed only when she is gone.
            if round % 3 > 1 { pair.alice.engine.wantHandshake(pair.aliceView, pair.link.now + .seconds(6)) }
            pair.alice.engine.remove(pair.toBob)
            pair.bob.engine.remove(pair.toAlice)
            #expect(Self.indices(pair) == [0, 0], "round \(round)")
            pair.alice.settle(pair.link.now)
            pair.link.run(.seconds(1))
            #expect(Self.indices(pair) == [0, 0], "what was on its way finds nobody, round \(round)")
            #expect([counts.peers.alive, counts.remotes.alive, counts.sessions.alive] == [0, 0, 0], "round \(round)")
        }
        #expect(counts.peers.made == 100)
        #expect(counts.sessions.made > 60)
        #expect([pair.alice, pair.bob].allSatisfy { $0.engine.peers.count == 1 }, "their places are used again")
    }
}
