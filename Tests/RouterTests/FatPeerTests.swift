import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

@testable import Router

/// One peer whose packets several workers seal and open.
@Suite struct FatPeerTests {
    private static let segment = 1372

    private struct Pair {
        let world: World
        let routers: [MemoryRouter]
        let helpers: [Helpers]
        private(set) var sent = [0, 0]
        private(set) var arrived: [[Int]] = [[], []]

        init(workers: Int, seed: UInt64) throws {
            world = try World(["a", "b"])
            let (world, names) = (world, ["a", "b"])
            let helpers = (0..<2).map { Helpers(workers: workers, seed: 2 * seed + UInt64($0)) }
            self.helpers = helpers
            routers = try names.indices.map { index in
                let other = names[1 - index]
                return try MemoryRouter(
                    world, at: ["192.0.2.\(index + 1)"], seed: UInt64(index + 1),
                    GoldenPathTests.file(
                        names[index], workers: workers,
                        peers: """
                                  \(other):
                                    public-key: "<\(other)>"
                                    endpoint: 192.0.2.\(2 - index):51820
                                    allowed-ips: [10.0.0.\(2 - index)/32]
                            """), helpers: helpers[index])
            }
            routers[0].tun.inject(Frames.ping())
            world.run()
            _ = routers[1].takeDelivered()
        }

        /// A packet of `segments` numbered segments; one that is none is a packet of its own.
        mutating func send(from router: Int, segments: Int) {
            var packet = Frames.packet(UInt8(router + 1), UInt8(2 - router))
            packet.payload = []
            for _ in 0..<segments {
                packet.payload += (0..<8).map { UInt8(truncatingIfNeeded: sent[router] >> (8 * $0)) }
                packet.payload += (8..<FatPeerTests.segment).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                sent[router] += 1
            }
            guard segments > 1 else { return routers[router].tun.inject(packet.bytes) }
            let (bytes, header) = Frames.superPacket(packet, size: FatPeerTests.segment)
            routers[router].tun.inject(bytes, header: header)
        }

        mutating func settle() {
            world.run(.milliseconds(50))
            for router in 0..<2 {
                arrived[router] += routers[1 - router].takeDelivered().joined().map {
                    Frames.mark(of: $0, payload: FatPeerTests.segment)
                }
            }
        }
    }

    /// P-4.12: whoever has worked on which portion, and whatever order they ended in, no segment comes before an earlier one.
    @Test(arguments: [2, 3, 4]) func whatSeveralSealAndOpenIsNeitherLostNorReordered(workers: Int) throws {
        var pair = try Pair(workers: workers, seed: UInt64(workers))
        var random = SeededGenerator(seed: 7)
        for _ in 0..<40 {
            for router in 0..<2 {
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    pair.send(from: router, segments: [1, 2, 30, 45, 46, 47].randomElement(using: &random) ?? 1)
                }
            }
            pair.settle()
        }
        for router in 0..<2 {
            #expect(pair.arrived[router] == Array(0..<pair.sent[router]))
            #expect(pair.helpers[router].helped > 20, "others have helped")
            #expect(pair.helpers[router].overtaken > 20, "and ended out of order")
            for worker in pair.routers[router].workers {
                for (stage, report) in worker.reports {
                    #expect(report.drops.allSatisfy { $0.value == 0 }, "\(stage) of \(worker.id): \(report.drops)")
                }
            }
            #expect(
                pair.routers[router].counter("wireguard", "packets-sealed") == pair.sent[router] + (router == 0 ? 1 : 0)
            )
        }
    }

    /// What changes a worker finds nothing under way, and nothing of it is lost.
    @Test func aChangeWaitsForWhatIsUnderWay() throws {
        var pair = try Pair(workers: 2, seed: 11)
        for round in 0..<20 {
            for _ in 0..<4 { pair.send(from: 0, segments: 46) }
            let router = pair.routers[0]
            pair.helpers[0].rest(except: 0)
            router.workers[0].turn(pair.world.now)
            let isSettled = router.workers[0].wireGuard.isSettled
            #expect(!isSettled, "the packets are under way")
            let seen = Seen()
            router.mailboxes[0].post { worker, _ in seen.isSettled = worker.wireGuard.isSettled }
            router.workers[0].takeMail(pair.world.now)
            #expect(seen.isSettled == nil, "the change waits")
            // Nothing is read meanwhile.
            pair.send(from: 0, segments: 46)
            router.workers[0].turn(pair.world.now)
            #expect(router.tun.waitingCount == 1)
            pair.settle()
            #expect(seen.isSettled == true)
            #expect(pair.arrived[0].count == (round + 1) * 5 * 46)
        }
        #expect(pair.arrived[0] == Array(0..<pair.sent[0]))
    }

    private final class Seen: @unchecked Sendable {  // Sendable: the test is the only thread
        var isSettled: Bool?
    }
}
