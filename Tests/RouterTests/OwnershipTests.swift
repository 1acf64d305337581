import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

@testable import Router

/// A hub of several workers and its peers, where everything arrives at a worker that does not own it.
@Suite struct OwnershipTests {
    private static let names = ["b", "c", "d"]

    private struct Star {
        let world: World
        let hub: MemoryRouter
        let spokes: [MemoryRouter]
        private(set) var sent: [Int: Int] = [:]

        init(workers: Int) throws {
            world = try World(["a"] + names)
            let peers = names.enumerated().map { index, name in
                """
                      \(name):
                        public-key: "<\(name)>"
                        endpoint: 192.0.2.\(index + 2):51820
                        allowed-ips: [10.0.0.\(index + 2)/32]
                """
            }
            hub = try MemoryRouter(
                world, at: ["192.0.2.1"], seed: 1,
                GoldenPathTests.file("a", workers: workers, peers: peers.joined(separator: "\n")))
            let world = world
            spokes = try names.enumerated().map { index, name in
                try MemoryRouter(
                    world, at: ["192.0.2.\(index + 2)"], seed: UInt64(index + 2),
                    GoldenPathTests.file(
                        name, workers: 1,
                        peers: """
                                  a:
                                    public-key: "<a>"
                                    endpoint: 192.0.2.1:51820
                                    allowed-ips: [10.0.0.1/32]
                            """))
            }
            // What a peer sends gets to the worker behind its owner.
            hub.host.steer = { sender in
                let spoke = Int(sender.address.v4Bits & 0xff) - 2
                return (spoke % workers + 1) % workers
            }
        }

        /// The next packet of each flow between the hub and a spoke; the host's end is of the wrong worker too.
        mutating func exchange() {
            for (index, spoke) in spokes.enumerated() {
                let number = sent[index, default: 0]
                sent[index] = number + 1
                let wrong = (index % hub.workers.count + 1) % hub.workers.count
                let address = UInt8(index + 2)
                hub.tuns[0][wrong].inject(Frames.packet(1, address, mark: number).bytes)
                spoke.tun.inject(Frames.packet(address, 1, mark: number).bytes)
            }
        }
    }

    @Test(arguments: [2, 3]) func whatArrivesAtAnotherWorkerGetsToTheOwnerAndNothingIsLostOrReordered(
        workers: Int
    ) throws {
        var star = try Star(workers: workers)
        // The hub begins, so that responses, too, come to a worker that does not expect them.
        for index in star.spokes.indices {
            star.hub.tuns[0][workers - 1].inject(Frames.packet(1, UInt8(index + 2), mark: 999).bytes)
        }
        star.world.run()
        for (index, spoke) in star.spokes.enumerated() {
            #expect(spoke.takeDelivered() == [[Frames.packet(1, UInt8(index + 2), mark: 999).bytes]])
        }
        var arrived: [[Int]] = [[], [], []]
        var answered: [[Int]] = [[], [], []]
        for _ in 0..<500 {
            star.exchange()
            star.world.run(.milliseconds(400))
            for packet in star.hub.takeDelivered().joined() {
                answered[Int(packet[15]) - 2].append(Frames.mark(of: packet))
            }
            for (index, spoke) in star.spokes.enumerated() {
                arrived[index] += spoke.takeDelivered().joined().map { Frames.mark(of: $0) }
            }
        }
        #expect(arrived == Array(repeating: Array(0..<500), count: 3))
        #expect(answered == Array(repeating: Array(0..<500), count: 3))

        // Every peer is known to its owner and to nobody else.
        for peer in 0..<3 {
            let snapshots = star.hub.snapshots(of: peer, star.world.now)
            #expect(snapshots.map(\.worker) == [peer % workers])
            #expect(snapshots.allSatisfy { $0.peer.hasSession })
        }
        for worker in star.hub.workers {
            for (stage, report) in worker.reports {
                #expect(report.drops.allSatisfy { $0.value == 0 }, "\(stage) of \(worker.id): \(report.drops)")
            }
        }
        // 200 s: each session was renewed, and each way every packet was handed over.
        #expect(star.hub.counter("workers", "packets-handed-over") >= 3 * 1000)
        #expect(star.hub.counter("wireguard", "packets-sealed") == 3 * 501)
        #expect(star.hub.counter("wireguard", "packets-opened") == 3 * 500)
        for worker in star.hub.workers {
            let report = try #require(worker.reports.first { $0.stage == "wireguard" }).report
            let owned = star.hub.plan.interfaces[0].peers.count { $0.worker == worker.id }
            #expect(report.counters[0].value == UInt64(owned * 501), "sealed by the owner")
            #expect(report.counters[1].value == UInt64(owned * 500), "opened by the owner")
        }
    }

    @Test func initiationsAreReferredToTheOwner() throws {
        var star = try Star(workers: 2)
        star.hub.asleep = [0]
        // b and d belong to worker 0, and their initiations come to worker 1, which is awake.
        star.exchange()
        star.world.run(.seconds(1))
        #expect(star.spokes[0].takeDelivered().isEmpty && star.spokes[2].takeDelivered().isEmpty)
        #expect(star.hub.snapshots(of: 0, star.world.now).first?.peer.lastHandshake == nil)
        let arrived = star.hub.workers[1].reports.first { $0.stage == "udp" }?.report.counters[0].value ?? 0
        #expect(arrived >= 2)
        star.hub.asleep = []
        star.world.run(.seconds(12))
        for peer in 0..<3 {
            #expect(star.hub.snapshots(of: peer, star.world.now).first?.peer.hasSession == true)
        }
    }

    @Test func aFullMailboxIsACountedDropAndLosesNoBuffer() throws {
        var star = try Star(workers: 2)
        star.exchange()
        star.world.run(.seconds(12))
        _ = star.spokes.map { $0.takeDelivered() }
        // Packets for b, whom worker 0 owns, come to worker 1, a batch a turn.
        func flood(_ count: Int) {
            for number in 0..<count {
                star.hub.tuns[0][1].inject(Frames.packet(1, 2, mark: number).bytes)
                star.world.settle()
            }
        }
        star.hub.asleep = [0]
        flood(200)
        #expect(star.hub.counter("workers", "handoff-full") == 136, "64 parcels wait, whatever is in them")
        let allocated = star.hub.pools[1].allocations
        flood(500)
        #expect(star.hub.counter("workers", "handoff-full") == 636)
        #expect(star.hub.pools[1].allocations <= allocated + 2, "what is dropped is spare again")
        star.hub.asleep = []
        star.world.run()
        #expect(star.spokes[0].takeDelivered().joined().map { Frames.mark(of: $0) } == Array(0..<64))
        flood(10)
        star.world.run()
        #expect(star.spokes[0].takeDelivered().joined().map { Frames.mark(of: $0) } == Array(0..<10))
        #expect(star.hub.counter("workers", "handoff-full") == 636)
    }

    // MARK: Runs that the kernel made of messages for different workers

    /// A peer of a router of two workers, whose owner is worker 0 while everything arrives at worker 1.
    private struct Mixed {
        let world: World
        let router: MemoryRouter
        let peer: EnginePeer

        init() throws {
            world = try World()
            router = try MemoryRouter(
                world, at: ["192.0.2.1"],
                GoldenPathTests.file(
                    "a", workers: 2,
                    peers: """
                              b:
                                public-key: "<b>"
                                allowed-ips: [10.0.0.2/32]
                        """))
            router.host.steer = { _ in 1 }
            peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
            peer.connect(world)
        }

        func give(_ messages: [[UInt8]]) -> [[UInt8]] {
            peer.sendDatagrams(messages, world.now)
            world.run(.milliseconds(100))
            return router.takeDelivered().flatMap { $0 }
        }

        /// A data message of `count` bytes for a session that nobody has, at worker `owner`.
        func forged(_ count: Int, owner: Int) -> [UInt8] {
            var index: UInt32 = 1
            while router.indices.owner(of: index) != owner { index += 1 }
            let bytes = [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: index >> $0) }
            return [4, 0, 0, 0] + bytes + [UInt8](repeating: 9, count: count - 8)
        }
    }

    @Test func dataBehindAnInitiationInOneRunGetsToTheOwner() throws {
        let scene = try Mixed()
        scene.world.run(.seconds(6))
        let ping = Frames.ping(2, 1)
        let initiation = scene.peer.initiation(scene.world.now)
        #expect(scene.give([initiation, scene.peer.sealed(ping, scene.world.now)]) == [ping])
        #expect(scene.router.report("wireguard").drops.allSatisfy { $0.value == 0 })
    }

    /// A peer that begins anew every 100 ms, while its owner does not come to look.
    @Test func handshakesThatWaitForABusyOwnerAreBounded() throws {
        let scene = try Mixed()
        scene.world.run(.seconds(6))
        scene.router.asleep = [0]
        for _ in 0..<300 { #expect(scene.give([scene.peer.initiation(scene.world.now)]).isEmpty) }
        #expect(scene.router.counter("wireguard", "handshake-owner-busy") == 300 - 256)
        let before = scene.router.counter("udp", "datagrams-out")
        scene.router.asleep = []
        scene.world.run()
        // Each of them was taken, in order, and answered.
        #expect(scene.router.counter("udp", "datagrams-out") == before + 256)
        #expect(scene.router.counter("wireguard", "handshake-overtaken") == 0)
    }

    @Test func aStrangersMessageInAPeersRunTakesNothingWithIt() throws {
        let scene = try Mixed()
        let ping = Frames.ping(2, 1)
        let size = ping.count + 32
        for round in 0..<4 {
            let good = (0..<6).map { Frames.ping(2, 1, sequence: UInt16(round * 6 + $0)) }
            var messages = good.map { scene.peer.sealed($0, scene.world.now) }
            messages.insert(scene.forged(size, owner: 1), at: round)
            messages.insert(scene.forged(size, owner: 1), at: 5)
            messages.append(scene.forged(size - 1, owner: round % 2))
            #expect(scene.give(messages) == good)
        }
        #expect(scene.router.counter("wireguard", "unknown-receiver") == 12)
        #expect(scene.router.counter("wireguard", "packets-opened") == 24)
    }
}
