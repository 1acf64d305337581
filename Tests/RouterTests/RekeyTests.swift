import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

@Suite struct RekeyTests {
    /// P-5.6, P-5.7, P-2.14 to P-2.16: with one worker each, and with workers whose sockets get what is not theirs.
    @Test(arguments: [(1, 1), (2, 3)]) func tenMinutesOfTrafficBothWaysLoseNothingAtAnyRekey(
        workers: (a: Int, b: Int)
    ) throws {
        let world = try World()
        let a = try MemoryRouter(
            world, at: ["192.0.2.1"], seed: 1,
            GoldenPathTests.file(
                "a", workers: workers.a,
                peers: """
                          b:
                            public-key: "<b>"
                            endpoint: 192.0.2.2:51820
                            allowed-ips: [10.0.0.2/32]
                    """))
        let b = try MemoryRouter(
            world, at: ["192.0.2.2"], seed: 2,
            GoldenPathTests.file(
                "b", workers: workers.b,
                peers: """
                          nobody:
                            public-key: "<c>"
                          a:
                            public-key: "<a>"
                            endpoint: 192.0.2.1:51820
                            allowed-ips: [10.0.0.1/32]
                    """))
        // Datagrams go round the sockets, whoever owns the peer; so do frames.
        for router in [a, b] {
            var turn = 0
            router.host.steer = { _ in
                turn += 1
                return turn % router.workers.count
            }
        }
        var random = SeededGenerator(seed: 4)
        // Not both at once: initiations that cross answer nothing, and the next ones come five seconds later.
        var next = (a: world.now, b: world.now + .milliseconds(500))
        var sent = (a: 0, b: 0)
        var got: (a: [Int], b: [Int]) = ([], [])
        let end = world.now + .seconds(600)
        while world.now < end {
            if next.a <= world.now {
                a.tuns[0][sent.a % workers.a].inject(Frames.packet(1, 2, mark: sent.a).bytes)
                sent.a += 1
                next.a = world.now + .milliseconds(10 + random.next() % 41)
            }
            if next.b <= world.now {
                b.tuns[0][sent.b % workers.b].inject(Frames.packet(2, 1, mark: sent.b).bytes)
                sent.b += 1
                next.b = world.now + .milliseconds(10 + random.next() % 41)
            }
            world.run(min(next.a, next.b) - world.now)
            got.b += b.takeDelivered().joined().map { Frames.mark(of: $0) }
            got.a += a.takeDelivered().joined().map { Frames.mark(of: $0) }
        }
        world.run()
        got.b += b.takeDelivered().joined().map { Frames.mark(of: $0) }
        got.a += a.takeDelivered().joined().map { Frames.mark(of: $0) }

        #expect(sent.a > 15_000 && sent.b > 15_000)
        #expect(got.b == Array(0..<sent.a), "nothing lost, nothing twice, nothing reordered")
        #expect(got.a == Array(0..<sent.b))
        let handshakes = a.notes.count { if case .handshakeCompleted = $0.event { true } else { false } }
        #expect(handshakes >= 5, "the first and at least four rekeys")
        for router in [a, b] {
            for worker in router.workers {
                for (stage, report) in worker.reports {
                    #expect(report.drops.allSatisfy { $0.value == 0 }, "\(stage): \(report.drops)")
                }
            }
        }
        #expect(world.network.lost == 0)
    }
}
