import Pipeline
import Testing
import Wire

@testable import Router

/// Peers that are looked for by name: which address has its turn when, and when the name is looked up again.
@Suite struct EndpointSearchTests {
    private static func endpoint(_ last: UInt32) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0xc000_0200 + last), port: 51820)
    }
    private static let endpoints = (1...3).map(endpoint)
    private var now = Instant(nanoseconds: 1_000_000_000_000)
    private var search = EndpointSearch()

    /// What the initiations that go unanswered bring about, five seconds each.
    private mutating func steps(_ count: Int, age: Interval? = nil) -> [EndpointSearch.Step] {
        (0..<count).map { _ in
            now = now + .seconds(5)
            return search.unanswered(handshakeAge: age, now)
        }
    }

    @Test mutating func `all addresses have their turn, then the name is looked up again`() {
        let first = search.found(Self.endpoints, now)
        #expect(first == Self.endpoints[0])
        let steps = steps(6)
        #expect(steps == [.wait, .tryAt(Self.endpoints[1]), .wait, .tryAt(Self.endpoints[2]), .wait, .lookUp])
    }

    @Test mutating func `a look-up every 30 s is enough, and those that are known have another turn meanwhile`() {
        _ = search.found(Array(Self.endpoints[..<2]), now)
        let before = steps(4)
        #expect(before.last == .tryAt(Self.endpoints[0]), "20 s after the look-up")
        let after = steps(4)
        #expect(after == [.wait, .tryAt(Self.endpoints[1]), .wait, .lookUp])
    }

    @Test mutating func `a single address is stayed with`() {
        _ = search.found([Self.endpoints[0]], now)
        let steps = steps(12)
        #expect(steps.filter { $0 == .lookUp }.count == 3 || steps.filter { $0 == .lookUp }.count == 4)
        #expect(steps.allSatisfy { $0 == .wait || $0 == .lookUp })
    }

    @Test mutating func `a session that is not dead for sure keeps its endpoint`() {
        _ = search.found(Self.endpoints, now)
        let young = steps(20, age: .seconds(134))
        #expect(young.allSatisfy { $0 == .wait })
        let old = steps(2, age: .seconds(135))
        #expect(old == [.wait, .tryAt(Self.endpoints[1])])
    }

    @Test mutating func `a name that has no address any more leaves what was known`() {
        _ = search.found(Self.endpoints, now)
        let none = search.found([], now)
        #expect(none == nil)
        let steps = steps(2)
        #expect(steps.last == .tryAt(Self.endpoints[1]))
    }

    @Test mutating func `no more than a bound of addresses is tried`() {
        _ = search.found((0..<100).map(Self.endpoint), now)
        let tried = steps(2 * EndpointSearch.candidateBound).filter { $0 != .wait }
        #expect(tried.count == EndpointSearch.candidateBound && tried.last == .lookUp)
    }
}

/// The order in which names are looked up.
@Suite struct LookupQueueTests {
    private let now = Instant(nanoseconds: 1_000_000_000_000)
    private var queue = LookupQueue()

    @Test mutating func `first come, first served, and each once`() {
        for peer in [3, 1, 3, 2] { queue.append(PeerID(peer)) }
        var order: [PeerID?] = []
        for _ in 0..<4 { order.append(queue.next(now).peer) }
        #expect(order == [PeerID(3), PeerID(1), PeerID(2), nil])
    }

    @Test mutating func `pauses double up to a minute, and begin anew after a success`() {
        let peer = PeerID(7)
        var pauses: [UInt64] = []
        for round in 0..<8 {
            if round == 7 { queue.succeeded(peer) }
            queue.retry(peer, now)
            let (none, again) = queue.next(now)
            #expect(none == nil)
            pauses.append((again - now).nanoseconds / 1_000_000_000)
            let due = queue.next(again).peer
            #expect(due == peer)
        }
        #expect(pauses == [2, 4, 8, 16, 32, 60, 60, 2])
    }

    @Test mutating func `whoever is removed is not looked up`() {
        for peer in 0..<3 { queue.append(PeerID(peer)) }
        queue.remove(PeerID(1))
        queue.retry(PeerID(9), now)
        queue.remove(PeerID(9))
        let (first, second) = (queue.next(now).peer, queue.next(now).peer)
        #expect([first, second] == [PeerID(0), PeerID(2)])
        let last = queue.next(now)
        #expect(last.peer == nil && last.again == .never)
    }
}
