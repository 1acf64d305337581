import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// What the contract promises to stages that are yet to come, proved with one that holds packets.
@Suite struct StageContractTests {
    /// a, with a shaper of 10 ms a packet on each worker between allowed-ips and wireguard, and b.
    private final class Scene {
        let world: World
        let a: MemoryRouter
        let b: MemoryRouter
        let shapers: [Shaper]

        init(workers: Int = 1) throws {
            world = try World()
            // Filled by `compose`, which is called once a worker.
            let made = Made()
            let pool = BufferPool()
            a = try MemoryRouter(
                world, at: ["192.0.2.1", "192.0.2.11"], seed: 1,
                GoldenPathTests.file(
                    "a", workers: workers,
                    peers: """
                              b:
                                public-key: "<b>"
                                endpoint: 192.0.2.2:51820
                                allowed-ips: [10.0.0.2/32]
                              c:
                                public-key: "<c>"
                                endpoint: 192.0.2.3:51820
                                allowed-ips: [10.0.0.3/32]
                        """)
            ) { _, stages in
                let shaper = Shaper(every: .milliseconds(10), pool)
                made.shapers.append(shaper)
                return shaper.insert(above: "wireguard", stages)
            }
            shapers = made.shapers
            b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
            a.tuns[0][0].inject(Frames.packet(1, 2, mark: 0).bytes)
            world.run()
            _ = b.takeDelivered()
        }

        private final class Made { var shapers: [Shaper] = [] }

        func arrivals(within interval: Interval) -> [(at: UInt64, mark: Int)] {
            let start = world.now
            var arrivals: [(at: UInt64, mark: Int)] = []
            while world.now - start < interval {
                world.run(.milliseconds(1))
                for packet in b.takeDelivered().joined() {
                    arrivals.append(((world.now - start).nanoseconds / 1_000_000, Frames.mark(of: packet)))
                }
            }
            return arrivals
        }
    }

    @Test func aStageHoldsPacketsAndReleasesThemInOrderAndInTime() throws {
        let scene = try Scene()
        for mark in 0..<20 { scene.a.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        let arrivals = scene.arrivals(within: .milliseconds(300))
        #expect(arrivals.map(\.mark) == Array(0..<20))
        // One a 10 ms, and a millisecond on the wire.
        let times: [UInt64] = (1...20).map { 10 * $0 + 1 }
        #expect(arrivals.map(\.at) == times)
        #expect(scene.a.counters.contains("shaper: packets-released 21"))
        #expect(scene.a.workers[0].nextDeadline > scene.world.now)
    }

    @Test func whatIsHeldOnItsWayUpIsReleasedToTheStagesAbove() throws {
        let scene = try Scene()
        for mark in 0..<5 { scene.b.tun.inject(Frames.packet(2, 1, mark: mark).bytes) }
        scene.b.tun.inject(Frames.ping(9, 1))
        var times: [Int] = []
        for _ in 0..<100 {
            scene.world.run(.milliseconds(1))
            times.append(scene.a.takeDelivered().joined().count)
        }
        #expect(times.reduce(0, +) == 5)
        #expect(times.indices.filter { times[$0] > 0 } == [10, 20, 30, 40, 50])
        #expect(scene.a.counter("allowed-ips", "source-not-allowed") == 1, "the stages above look at it still")
    }

    @Test func buffersThatWereHeldComeBack() throws {
        let scene = try Scene()
        var allocations: [Int] = []
        for _ in 0..<5 {
            for mark in 0..<60 { scene.a.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
            scene.world.run(.seconds(1))
            #expect(scene.b.takeDelivered().joined().count == 60)
            allocations.append(scene.a.pools[0].allocations)
        }
        #expect(Set(allocations).count == 1)
    }

    @Test func aBoundIsKeptAndWhatIsBeyondItIsCounted() throws {
        let scene = try Scene()
        for mark in 0..<(Shaper.bound + 50) { scene.a.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        let arrivals = scene.arrivals(within: .seconds(4))
        #expect(arrivals.map(\.mark) == Array(0..<Shaper.bound))
        #expect(scene.a.counter("shaper", "queue-full") == 50)
    }

    @Test func aPeersStateIsWithItsOwnerOnly() throws {
        let scene = try Scene(workers: 2)
        // b is worker 0's and c worker 1's; each packet comes to the other one.
        for mark in 0..<10 {
            scene.a.tuns[0][1].inject(Frames.packet(1, 2, mark: mark).bytes)
            scene.a.tuns[0][0].inject(Frames.packet(1, 3, mark: mark).bytes)
        }
        #expect(scene.arrivals(within: .milliseconds(200)).map(\.mark) == Array(0..<10))
        #expect(scene.shapers.map(\.added) == [[PeerID(0)], [PeerID(1)]])
        #expect(scene.shapers.map(\.peersWithState) == [[PeerID(0)], [PeerID(1)]])
    }

    @Test func aPeerIsReconfiguredInPlaceWhileItsPacketsWait() throws {
        let scene = try Scene()
        for mark in 0..<10 { scene.a.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        #expect(scene.arrivals(within: .milliseconds(25)).map(\.mark) == [0, 1])
        scene.a.mailboxes[0].post { worker, _ in
            worker.stage(Shaper.self)?.set(PeerID(0), options: Shaper.Rate(interval: .milliseconds(2)))
        }
        let arrivals = scene.arrivals(within: .milliseconds(60))
        #expect(arrivals.map(\.mark) == Array(2..<10), "none is lost by it")
        // The third was due at 30, the others every 2 ms from there.
        let times: [UInt64] = (0..<8).map { 6 + 2 * $0 }
        #expect(arrivals.map(\.at) == times)
    }

    @Test func aPeerThatGoesTakesItsPacketsWithIt() throws {
        let scene = try Scene()
        for mark in 0..<10 { scene.a.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        scene.world.settle()
        scene.a.mailboxes[0].post { worker, _ in for stage in worker.stages { stage.remove(PeerID(0)) } }
        scene.world.run()
        #expect(scene.a.counter("shaper", "peer-gone") == 10)
        #expect(scene.b.takeDelivered().isEmpty)
        #expect(scene.a.snapshots(of: 0, scene.world.now).isEmpty)
        // Its prefix is nobody's now.
        scene.a.tun.inject(Frames.packet(1, 2).bytes)
        scene.world.run()
        #expect(scene.a.counter("allowed-ips", "no-route") == 1)
    }

    @Test func aNoticeOfTheEndReachesEveryStage_P6_3() throws {
        let scene = try Scene()
        // b has answered to 192.0.2.1, which is not ours any more.
        scene.a.host.addresses = [try #require(IPAddress("192.0.2.11"))]
        scene.a.tun.inject(Frames.packet(1, 2, mark: 1).bytes)
        scene.world.run()
        #expect(scene.shapers[0].notices == [PeerID(0)])
        #expect(scene.a.counter("udp", "source-fallbacks") == 1)
        #expect(scene.a.snapshots(of: 0, scene.world.now).first?.peer.path?.local == nil)
        #expect(scene.b.takeDelivered().joined().map { Frames.mark(of: $0) } == [1])
        // And b answers to where it came from.
        scene.b.tun.inject(Frames.packet(2, 1, mark: 2).bytes)
        scene.world.run()
        #expect(scene.a.takeDelivered().joined().map { Frames.mark(of: $0) } == [2])
    }
}
