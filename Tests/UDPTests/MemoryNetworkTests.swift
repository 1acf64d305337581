import Pipeline
import Testing
import Wire

@testable import UDP

@Suite struct MemoryNetworkTests {
    static let a = "192.0.2.1"
    static let b = "192.0.2.2"

    @Test func aDatagramArrivesAfterTheDelayWithBothItsEnds() {
        let (network, a, b) = hosts(MemoryNetwork.Conditions(delay: .milliseconds(10)))
        a.ports[0].send([(Datagrams(bytes: [1, 2]), .to(Self.b, 2))], trafficClass: 0x88)
        let due = network.nextDelivery
        #expect(due == Instant(nanoseconds: 0) + .milliseconds(10))
        network.advance(to: Instant(nanoseconds: due.nanoseconds - 1))
        #expect(!b.ports[0].isReadable)
        network.advance(to: due)
        #expect(b.ports[0].isReadable && network.nextDelivery == .never)
        let arrival = b.ports[0].receiveNow().first
        #expect(arrival?.datagrams == Datagrams(bytes: [1, 2]))
        #expect(arrival?.path == Path.to(Self.a, 1, from: Self.b))
        #expect(arrival?.trafficClass == 0x88)
    }

    @Test func datagramsOfOneSenderArriveAsRuns() {
        let (network, a, b) = hosts()
        let full = [UInt8](repeating: 7, count: 100)
        let messages: [[UInt8]] = Array(repeating: full, count: 70) + [[1], full, [], full, full + [9]]
        a.ports[0].send(messages.map { (Datagrams(bytes: $0), .to(Self.b, 2)) })
        network.advance(to: network.nextDelivery)
        let arrivals = b.ports[0].receiveNow()
        #expect(arrivals.map { $0.datagrams.each.count } == [64, 7, 1, 1, 1, 1])
        #expect(arrivals.map(\.datagrams.size) == [100, 100, 0, 0, 0, 0])
        #expect(arrivals.flatMap(\.datagrams.each) == messages)
    }

    @Test func aRunIsCutUpAndPutTogetherAgain() {
        let (network, a, b) = hosts()
        let run = Datagrams(bytes: Datagrams.pattern(1452 * 44 + 5), size: 1452)
        a.ports[0].send([(run, .to(Self.b, 2))])
        network.advance(to: network.nextDelivery)
        #expect(b.ports[0].receiveNow().map(\.datagrams) == [run])
    }

    @Test func aBatchIsNeverOverfilled() {
        let (network, a, b) = hosts()
        let run = Datagrams(bytes: Datagrams.pattern(64), size: 1)
        for _ in 0..<20 { a.ports[0].send([(run, .to(Self.b, 2)), (Datagrams(bytes: []), .to(Self.b, 2))]) }
        network.advance(to: network.nextDelivery)
        var total = 0
        while b.ports[0].isReadable {
            total += b.ports[0].receiveNow().reduce(0) { $0 + $1.datagrams.each.count }
        }
        #expect(total == 20 * 65)
    }

    @Test func workersOfOneHostShareItsAddress() {
        let network = MemoryNetwork()
        let host = network.attach(addresses: [.literal(Self.b)], port: 2, workers: 4)
        var used = Set<Int>()
        for sender in 0..<64 {
            let other = network.attach(addresses: [.literal("10.1.1.\(sender)")], port: UInt16(sender))
            for _ in 0..<2 { other.ports[0].send([(Datagrams(bytes: [1]), .to(Self.b, 2))]) }
            network.advance(to: network.nextDelivery)
            let counts = host.ports.map { $0.receiveNow().reduce(0) { $0 + $1.datagrams.each.count } }
            #expect(counts.sorted() == [0, 0, 0, 2])
            counts.firstIndex(of: 2).map { _ = used.insert($0) }
        }
        #expect(used.count == 4)
        host.steer = { _ in 3 }
        network.attach(addresses: [.literal(Self.a)], port: 1).ports[0].send([(Datagrams(bytes: [1]), .to(Self.b, 2))])
        network.advance(to: network.nextDelivery)
        #expect(host.ports[3].receiveNow().count == 1)
    }

    @Test func aSourceThatIsGoneIsToldOnceAPeer() {
        let (network, a, b) = hosts()
        a.addresses = [.literal("192.0.2.9")]
        var batch = PacketBatch(pool: BufferPool())
        for peer in [4, 4, 5] {
            var packet = Packet(batch.pool.take(.small), count: 0)
            packet.path = .to(Self.b, 2, from: Self.a)
            packet.peer = PeerID(peer)
            batch.append(packet)
        }
        a.ports[0].send(&batch)
        let peers = batch.notices.map { if case .sourceGone(let peer) = $0 { peer } else { PeerID.none } }
        #expect(peers == [PeerID(4), PeerID(5)])
        network.advance(to: network.nextDelivery)
        #expect(b.ports[0].receiveNow().map(\.path.remote.address) == Array(repeating: .literal("192.0.2.9"), count: 3))
    }

    @Test func theSameSeedGivesTheSameRunAndChancesAreKept() {
        func run(seed: UInt64) -> [[UInt8]] {
            let conditions = MemoryNetwork.Conditions(loss: 0.1, duplication: 0.05, reordering: 0.2)
            let network = MemoryNetwork(seed: seed, conditions: conditions)
            let a = network.attach(addresses: [.literal(Self.a)], port: 1)
            let b = network.attach(addresses: [.literal(Self.b)], port: 2)
            var arrived: [[UInt8]] = []
            for index in 0..<4000 {
                a.ports[0].send([(Datagrams(bytes: [UInt8(index >> 8), UInt8(index & 255)]), .to(Self.b, 2))])
                network.advance(to: network.now + .milliseconds(1))
                arrived += b.ports[0].receiveNow().flatMap(\.datagrams.each)
            }
            network.advance(to: network.now + .seconds(1))
            arrived += b.ports[0].receiveNow().flatMap(\.datagrams.each)
            return arrived
        }
        let first = run(seed: 5)
        #expect(first == run(seed: 5))
        #expect(first != run(seed: 6))
        let different = Set(first).count
        #expect((3500...3700).contains(different), "a tenth is lost")
        #expect((100...300).contains(first.count - different), "a twentieth comes twice")
        let overtaken = zip(first, first.dropFirst()).count { $0.lexicographicallyPrecedes($1) == false && $0 != $1 }
        #expect((400...900).contains(overtaken), "a fifth is overtaken")
    }

    @Test func aTestDecidesOverSingleDatagrams() {
        let (network, a, b) = hosts()
        network.interfere = { datagram in
            switch datagram.bytes.first {
            case 1: return .lose
            case 2: return .delay(.seconds(1))
            case 3:
                var other = datagram
                other.bytes = [30]
                return .replace(other)
            default: return .deliver
            }
        }
        a.ports[0].send((0...3).map { (Datagrams(bytes: [$0]), .to(Self.b, 2)) })
        network.advance(to: Instant(nanoseconds: 0) + .milliseconds(1))
        #expect(b.ports[0].receiveNow().flatMap(\.datagrams.each) == [[0], [30]])
        network.advance(to: network.nextDelivery)
        #expect(b.ports[0].receiveNow().flatMap(\.datagrams.each) == [[2]])
        #expect(network.lost == 1)
    }

    @Test func whatNobodyHasIsLostAndAFullQueueIsCounted() {
        let (network, a, b) = hosts()
        a.ports[0].send([(Datagrams(bytes: [1]), .to("192.0.2.77", 2)), (Datagrams(bytes: [1]), .to(Self.b, 77))])
        a.ports[0].send([(Datagrams(bytes: [1]), .to("2001:db8::1", 2))])
        network.advance(to: network.nextDelivery)
        #expect(network.lost == 2)
        #expect(a.ports[0].dropped == ["unreachable": 1])
        let run = Datagrams(bytes: Datagrams.pattern(64), size: 1)
        for _ in 0...MemoryPort.queueBound / 64 { a.ports[0].send([(run, .to(Self.b, 2))]) }
        network.advance(to: network.nextDelivery)
        #expect(b.ports[0].dropped == ["receive-queue-full": 64])
    }

    private func hosts(
        _ conditions: MemoryNetwork.Conditions = .init()
    ) -> (MemoryNetwork, MemoryHost, MemoryHost) {
        let network = MemoryNetwork(conditions: conditions)
        return (
            network, network.attach(addresses: [.literal(Self.a)], port: 1),
            network.attach(addresses: [.literal(Self.b)], port: 2)
        )
    }
}
