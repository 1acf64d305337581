import Configuration
import PacketPath
import Pipeline
import Support
import TUN
import Testing
import Wire
import WireGuard

@testable import RateLimit
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
        #expect(plan.interfaces.flatMap(\.peers).map(\.worker) == workers)
        for peer in plan.interfaces.flatMap(\.peers) {
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

    // MARK: Reload

    /// One worker has them all.
    private static func single(_ groups: String) -> String {
        file(groups).replacing("workers: 3", with: "workers: 1")
    }

    @Test func `a peer goes to another group with its queue and its session, and nothing is lost`() throws {
        let world = try World()
        let slow = Self.single("{ g: { peers: [b, c], rate-limit: { down: 80kbit } } }")
        let fast = Self.single("{ h: { peers: [b], rate-limit: { down: 1gbit } }, g: { peers: [c] } }")
        let a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, slow)
        let b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
        let reload = MemoryReload(world, a)
        for mark in 0..<200 { a.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        world.run(.milliseconds(100))
        let before = b.takeDelivered().joined().map { Frames.mark(of: $0) }
        #expect(before.count < 100 && before == Array(0..<before.count))
        let handshake = a.snapshots(of: 0, world.now).first?.peer.lastHandshake
        let outcome = try reload(fast, from: slow)
        #expect(outcome.summary == ["wg0: 1 peer changed", "group h: new", "group g: changed"])
        world.run(.milliseconds(50))
        #expect(b.takeDelivered().joined().map { Frames.mark(of: $0) } == Array(before.count..<200))
        #expect(a.snapshots(of: 0, world.now).first?.peer.lastHandshake == handshake)
        #expect(a.report("rate-limit").drops.allSatisfy { $0.value == 0 })
    }

    @Test(
        arguments: [
            (
                "{ g: { peers: [b] } }", "{ g: { peers: [b, c] } }",
                "f:5:11: peer c cannot join group g, whose peers are another worker's"
            ),
            (
                "{ g: { peers: [b] } }", "{ g: { peers: [c] } }",
                "f:5:11: peer c cannot join group g, whose peers are another worker's"
            ),
            ("{}", "{ h: { peers: [d, c] } }", "f:5:11: peer c cannot join group h, whose peers are another worker's"),
        ])
    func `a peer cannot join one that another worker has, and then nothing has changed`(
        _ before: String, _ after: String, _ reason: String
    ) throws {
        let world = try World()
        let a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, Self.file(before))
        let error = #expect(throws: ReloadProblem.self) {
            _ = try MemoryReload(world, a)(Self.file(after), from: Self.file(before))
        }
        #expect(error?.description == "\(reason): this needs a restart")
        try expectGroups(of: a, before)
    }

    @Test(
        arguments: [
            ("{ g: { peers: [b] } }", "{ h: { peers: [b] } }"), ("{ g: { peers: [b] } }", "{}"),
            ("{ g: { peers: [b, c] } }", "{ g: { peers: [c] } }"), ("{}", "{ g: { peers: [c] }, h: { peers: [d] } }"),
            ("{ g: { peers: [b, c] } }", "{ h: { peers: [c] }, i: { peers: [b] } }"),
        ])
    func `groups come, go and lose peers over several workers`(_ before: String, _ after: String) throws {
        let world = try World()
        let a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, Self.file(before))
        _ = try MemoryReload(world, a)(Self.file(after), from: Self.file(before))
        try expectGroups(of: a, after)
    }

    @Test func `a peer that comes with the file is put where its group is`() throws {
        let world = try World()
        let (with, without) = (Self.file("{ g: { peers: [b, d] } }"), Self.file("{ g: { peers: [b] } }"))
        let line = try #require(without.split(separator: "\n").first { $0.contains("      d: ") })
        let first = without.replacing("\(line)\n", with: "")
        let a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, first)
        _ = try MemoryReload(world, a)(with, from: first)
        try expectGroups(of: a, "{ g: { peers: [b, d] } }")
    }

    @Test(arguments: 0..<UInt64(6)) func `any groups after any others are as if the router had begun with them`(
        _ seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let world = try World()
        let a = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, Self.single("{}"))
        let b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
        let reload = MemoryReload(world, a)
        var current = "{}"
        var (sent, arrived) = (0, [Int]())
        for _ in 0..<30 {
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                a.tun.inject(Frames.packet(1, 2, mark: sent).bytes)
                sent += 1
            }
            world.run(.milliseconds(UInt64.random(in: 1...30, using: &random)))
            let next = Self.someGroups(&random)
            _ = try reload(Self.single(next), from: Self.single(current))
            current = next
            try expectGroups(of: a, next)
            arrived += b.takeDelivered().joined().map { Frames.mark(of: $0) }
        }
        world.run(.seconds(200))
        arrived += b.takeDelivered().joined().map { Frames.mark(of: $0) }
        #expect(arrived == Array(0..<sent))
    }

    /// Each peer in one at most, with limits that hold packets up and that do not.
    private static func someGroups(_ random: inout SeededGenerator) -> String {
        var members: [String: [String]] = [:]
        for peer in ["b", "c", "d"] where Int.random(in: 0..<4, using: &random) > 0 {
            members[["g", "h", "i"][Int.random(in: 0..<3, using: &random)], default: []].append(peer)
        }
        let groups = members.sorted { $0.key < $1.key }.map { name, peers in
            let rate = ["40kbit", "800kbit", "1gbit"][Int.random(in: 0..<3, using: &random)]
            let limit = Bool.random(using: &random) ? ", rate-limit: { down: \(rate) }" : ""
            return "\(name): { peers: [\(peers.joined(separator: ", "))]\(limit) }"
        }
        return "{ \(groups.joined(separator: ", ")) }"
    }

    /// What the control plane and the stages of the owners know of groups is what the file says.
    private func expectGroups(of router: MemoryRouter, _ said: String) throws {
        let source = SourceText(file: "f", bytes: Array(try World().withKeys(Self.file(said)).utf8))
        let configuration = try ConfigurationFile.load(source, stages: StageRegistry.schemas).configuration.groups
        var names: [GroupID: String] = [:]
        for worker in router.workers {
            for group in router.registry.groups(of: worker.id) { names[group.id] = group.name }
        }
        #expect(names.values.sorted() == configuration.map(\.name.value).sorted())
        for (peer, _) in router.registry.view(InterfaceID(0)).peers {
            let expected = configuration.first { $0.peers.contains { $0.name == peer.name } }
            let stage = try #require(router.workers[peer.worker].stage(RateLimit.self))
            let known = stage.limiter.peers[peer.id.index].group
            #expect(peer.group.flatMap { names[$0] } == expected?.name.value)
            #expect((known < 0 ? nil : names[GroupID(known)]) == expected?.name.value)
            if let limit = expected?.stageOptions["rate-limit"] as? Limit {
                #expect(stage.limiter.groups[known].account.limit.down == limit.down)
            } else if known >= 0 {
                #expect(stage.limiter.groups[known].account.limit.down == nil)
            }
        }
    }
}
