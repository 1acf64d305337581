import Configuration
import PacketPath
import Pipeline
import RateLimit
import Support
import TUN
import Testing
import Wire

@testable import Router

/// Groups of peers from the file to the stages, over several workers.
@Suite struct GroupTests {
    private static func file(_ groups: String) -> String {
        """
        fullbore: 1
        name: a
        runtime: { workers: 3 }
        pipeline: [tun, allowed-ips, rate-limit, wireguard, udp]
        groups: \(groups)
        interfaces:
          wg0:
            private-key: { file: a.key }
            listen-port: 51820
            peers:
              b: { public-key: "<b>", endpoint: "192.0.2.2:51820", allowed-ips: [10.0.0.2/32] }
              c: { public-key: "<c>", allowed-ips: [10.0.0.3/32] }
              d: { public-key: "<d>", allowed-ips: [10.0.0.4/32] }

        """
    }

    private static func plan(_ groups: String) throws -> RouterPlan {
        let world = try World()
        let source = SourceText(file: "router.yaml", bytes: Array(world.withKeys(file(groups)).utf8))
        return RouterPlan(try ConfigurationFile.load(source, stages: StageRegistry.schemas).configuration, cores: 1)
    }

    @Test(arguments: [
        ("{}", [0, 1, 2]), ("{ g: { peers: [b, d] } }", [0, 1, 0]), ("{ g: { peers: [c, d] } }", [0, 1, 1]),
        ("{ g: { peers: [b, c, d] } }", [0, 0, 0]), ("{ g: { peers: [d] }, h: { peers: [b, c] } }", [0, 0, 1]),
    ])
    func `the peers of a group are one worker's`(_ groups: String, _ workers: [Int]) throws {
        let plan = try Self.plan(groups)
        #expect(plan.peers.map(\.worker) == workers)
        for peer in plan.peers {
            guard let group = peer.group else { continue }
            #expect(plan.groups[group.index].worker == peer.worker)
        }
    }

    @Test func `a group's limit holds for its peers, and is said to its owner alone`() throws {
        let world = try World()
        let a = try MemoryRouter(
            world, at: ["192.0.2.1"], seed: 1, Self.file("{ g: { peers: [c, b], rate-limit: { down: 8kbit } } }"))
        let b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
        for mark in 0..<100 { a.tuns[0][0].inject(Frames.packet(1, 2, mark: mark).bytes) }
        world.run(.milliseconds(100))
        let first = b.takeDelivered().joined().count
        #expect(first > 0 && first < 100)
        #expect(a.counter("rate-limit", "packets-queued") > 0)
        #expect(a.snapshots(of: 0, world.now).map(\.worker) == [0])
        #expect(a.snapshots(of: 1, world.now).map(\.worker) == [0])
    }

    @Test(
        arguments: [
            ("{ g: { peers: [b, c] } }", "{ g: { peers: [c, b], rate-limit: { down: 1mbit } } }", []),
            ("{ g: { peers: [b, c] } }", "{ g: { peers: [b, d] } }", ["f:5:11: the peers of group g change"]),
            (
                "{ g: { peers: [b] } }", "{ h: { peers: [b] } }",
                ["f:5:11: h is a new group", "f: group g is not in the file any more"]
            ),
        ] as [(String, String, [String])])
    func `whoever is in a group is settled when the router starts`(
        _ before: String, _ after: String, _ reasons: [String]
    ) throws {
        let world = try World()
        let loaded = try [before, after].map {
            let source = SourceText(file: "f", bytes: Array(world.withKeys(Self.file($0)).utf8))
            return try ConfigurationFile.load(source, stages: StageRegistry.schemas)
        }
        #expect(RestartReasons.between(loaded[0].configuration, and: loaded[1]) == reasons)
    }
}
