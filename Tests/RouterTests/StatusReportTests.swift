import Control
import PacketPath
import Pipeline
import Support
import TUN
import Testing
import Wire
import WireGuard

@testable import Router

/// What the workers' answers are put together to.
@Suite struct StatusReportTests {
    private let world: World
    private let router: MemoryRouter

    init() throws {
        world = try World(["a", "b"])
        router = try MemoryRouter(world, at: ["192.0.2.1"], GoldenPathTests.file("a", workers: 2, peers: Self.peers))
    }

    private static let peers = """
              b:
                public-key: "<b>"
                endpoint: 192.0.2.2:51820
                allowed-ips: [10.0.0.2/32]
        """

    private func answer(_ worker: Int, _ stages: [(stage: String, report: StageReport)]) -> StatusQuestion.Answer {
        StatusQuestion.Answer(worker: worker, peers: [[]], stages: stages)
    }

    @Test
    func `workers that are asked during a reload have different stages: counts stay with the stage of their name`()
        throws
    {
        // Nobody is on the way to 10.0.0.9: one drop of `allowed-ips`, at the worker of that queue.
        router.tuns[0][0].inject(Frames.packet(1, 9, mark: 1).bytes)
        world.settle()
        let reports = router.workers.map(\.reports)
        let netmap = (stage: "netmap", report: StageReport())
        let answers = [answer(0, reports[0]), answer(1, [reports[1][0], netmap] + reports[1].dropFirst())]
        for answers in [answers, answers.reversed()] {
            let stages = StatusReport(router.plan, router.registry, answers).status(file: "", aead: "").stages
            #expect(Set(stages.map(\.name)) == ["tun", "allowed-ips", "netmap", "wireguard", "udp", "workers"])
            #expect(stages.count == 6)
            let drops = stages.flatMap { stage in stage.drops.filter { $0.value > 0 }.map { "\(stage.name) \($0.name)" }
            }
            #expect(drops == ["allowed-ips no-route"])
        }
    }
}
