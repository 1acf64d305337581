import Configuration
import Control
import Crypto
import Glibc
import Linux
import Locking
import PacketPath
import Pipeline
import Support
import TUN
import Testing
import Wire
import WireGuard

@testable import Router

/// A router that becomes what another file says, while packets flow.
@Suite struct ReloadTests {
    private let world: World
    private let a: MemoryRouter
    private let b: MemoryRouter
    private let reloading: MemoryReload
    private let wg0 = InterfaceID(0)
    private static let names = ["a", "b", "c", "d", "e", "f", "g", "h"]

    private static let first = """
              b:
                public-key: "<b>"
                endpoint: 192.0.2.2:51820
                allowed-ips: [10.0.0.2/32]
        """

    init() throws {
        let world = try World(Self.names)
        self.world = world
        a = try MemoryRouter(
            world, at: ["192.0.2.1"], seed: 1, GoldenPathTests.file("a", workers: 2, peers: Self.first))
        b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
        reloading = MemoryReload(world, a)
    }

    private func load(_ text: String) throws -> RouterConfiguration { try reloading.load(text) }

    private func reload(_ text: String, from current: String, host: ReloadProblem? = nil) throws -> FileOutcome {
        try reloading(text, from: current, host: host)
    }

    private func file(_ peers: String, pipeline: String = "") -> String {
        GoldenPathTests.file("a", workers: 2, peers: peers) + (pipeline.isEmpty ? "" : "\npipeline: \(pipeline)\n")
    }

    private func ping(_ mark: Int) -> [Int] {
        a.tuns[0][mark % 2].inject(Frames.packet(1, 2, mark: mark).bytes)
        world.run(.milliseconds(100))
        return b.takeDelivered().joined().map { Frames.mark(of: $0) }
    }

    // MARK: One thing at a time

    @Test func theSameFileIsNoChange() throws {
        #expect(ping(1) == [1])
        let session = a.snapshots(of: 0, world.now).first?.peer
        let outcome = try reload(file(Self.first), from: file(Self.first))
        #expect(outcome.summary.isEmpty && outcome.searches.isEmpty)
        #expect(ping(2) == [2])
        #expect(a.snapshots(of: 0, world.now).first?.peer.lastHandshake == session?.lastHandshake)
    }

    @Test func aPeerWithAnotherNameIsTheSamePeer() throws {
        #expect(ping(1) == [1])
        let renamed = file(Self.first.replacing("      b:", with: "      berlin:"))
        #expect(try reload(renamed, from: file(Self.first)).summary.isEmpty)
        #expect(a.registry.view(wg0).peers.map(\.peer.name) == ["berlin"])
        #expect(a.registry.displayName(PeerID(0)) == "berlin")
        #expect(ping(2) == [2])
        #expect(a.snapshots(of: 0, world.now).count == 1)
    }

    @Test func aPeerThatRoamedStaysWhereItIsUntilTheFileSaysAnotherPlace() throws {
        #expect(ping(1) == [1])
        let moved = Change.set("public_key=<b>", "endpoint=192.0.2.9:7")
        #expect(try apply(moved) == nil)
        func remote() -> String? { a.snapshots(of: 0, world.now).first?.peer.path?.remote.description }
        #expect(remote() == "192.0.2.9:7")
        _ = try reload(file(Self.first), from: file(Self.first))
        #expect(remote() == "192.0.2.2:51820", "what a client has said is undone")
        // b speaks from elsewhere, and is believed.
        let elsewhere = file(Self.first.replacing("192.0.2.2:51820", with: "192.0.2.8:51820"))
        _ = try reload(elsewhere, from: file(Self.first))
        #expect(remote() == "192.0.2.8:51820")
        b.tun.inject(Frames.packet(2, 1, mark: 3).bytes)
        world.run(.milliseconds(100))
        #expect(remote() == "192.0.2.2:51820")
        _ = try reload(elsewhere, from: elsewhere)
        #expect(remote() == "192.0.2.2:51820", "the file says what it said before")
    }

    @Test func anEndpointThatBecomesANameIsLookedFor() throws {
        let named = file(Self.first.replacing("192.0.2.2:51820", with: "b.example.net:51820"))
        let outcome = try reload(named, from: file(Self.first))
        #expect(outcome.searches.map(\.peer) == [PeerID(0)] && outcome.searches.map(\.moves) == [true])
        #expect(try reload(named, from: named).searches.isEmpty)
        let new = file(
            Self.first + """

                      c:
                        public-key: "<c>"
                        endpoint: c.example.net:51820
                """)
        #expect(try reload(new, from: named).searches.map(\.moves) == [false])
    }

    @Test func whatTheHostRefusesChangesNothing() throws {
        #expect(ping(1) == [1])
        let other = file(Self.first.replacing("<b>", with: "<c>"), pipeline: "[tun, allowed-ips, dscp, wireguard, udp]")
        let refusal = ReloadProblem.host(HostSideError(interface: "wg0", action: "add a route", reason: "File exists"))
        #expect(throws: ReloadProblem.self) { _ = try reload(other, from: file(Self.first), host: refusal) }
        #expect(a.registry.view(wg0).peers.map(\.peer.publicKey) == [World.publicKey("b")])
        #expect(a.workers.allSatisfy { $0.stages.count == 4 })
        #expect(ping(2) == [2])
    }

    /// It takes as long as a worker has to answer.
    @Test func `a change that workers do not answer to is not said to have changed nothing`() throws {
        a.asleep = [0, 1]
        let error = #expect(throws: ReloadProblem.self) {
            _ = try reload(file(Self.first.replacing("<b>", with: "<c>")), from: file(Self.first))
        }
        guard case .brokeOff = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(a.registry.view(wg0).peers.map(\.peer.publicKey) == [World.publicKey("c")])
    }

    @Test func aPortThatCannotBeHadChangesNothing() throws {
        let other = file(Self.first.replacing("<b>", with: "<c>")).replacing(
            "listen-port: 51820", with: "listen-port: 7")
        #expect(throws: ReloadProblem.self) { _ = try reload(other, from: file(Self.first)) }
        #expect(a.registry.view(wg0).peers.map(\.peer.publicKey) == [World.publicKey("b")])
    }

    // MARK: Stages

    private func trafficClasses(_ mark: Int) -> [UInt8] {
        a.tuns[0][mark % 2].inject(Frames.packet(1, 2, mark: mark).bytes)
        world.run(.milliseconds(100))
        return b.takeDelivered().joined().map { $0[1] }
    }

    @Test func stagesComeChangeAndGo() throws {
        let plain = file(Self.first)
        let ef = file(Self.first, pipeline: "[tun, allowed-ips, dscp: { down: ef }, wireguard, udp]")
        let cs1 = file(
            Self.first + "\n        dscp: { down: cs1 }",
            pipeline: "[tun, allowed-ips, dscp: { down: ef }, wireguard, udp]")
        #expect(trafficClasses(1) == [0])
        #expect(try reload(ef, from: plain).summary == ["pipeline: tun, allowed-ips, dscp, wireguard, udp"])
        #expect(trafficClasses(2) == [46 << 2])
        #expect(try reload(cs1, from: ef).summary == ["wg0: 1 peer changed"])
        #expect(trafficClasses(3) == [8 << 2])
        #expect(a.counter("dscp", "packets-marked") == 2, "the stage is the same")
        let cleared = file(Self.first, pipeline: "[tun, allowed-ips, dscp: { down: le }, wireguard, udp]")
        _ = try reload(cleared, from: cs1)
        #expect(trafficClasses(4) == [1 << 2])
        #expect(a.counter("dscp", "packets-marked") == 3, "it took its other options")
        _ = try reload(plain, from: cleared)
        #expect(trafficClasses(5) == [0])
        #expect(a.workers.allSatisfy { $0.stages.count == 4 })
    }

    @Test func aNewStageKnowsEveryPeer() throws {
        let marked = file(
            Self.first + "\n        dscp: { down: cs1 }", pipeline: "[tun, allowed-ips, dscp, wireguard, udp]")
        _ = try reload(marked, from: file(Self.first))
        #expect(trafficClasses(1) == [8 << 2])
    }

    @Test(arguments: [1, 2]) func `what stages hold is sent on when they leave`(_ count: Int) throws {
        // The shapers come by hand, since no file knows them.
        let pool = BufferPool()
        #expect(ping(0) == [0])
        for worker in a.workers {
            for _ in 0..<count {
                let shaper = Shaper(every: .seconds(10), pool)
                worker.replaceStages(with: shaper.insert(above: "wireguard", worker.stages))
            }
        }
        for mark in 1...5 { #expect(ping(mark).isEmpty) }
        for mark in 6...8 { b.tun.inject(Frames.packet(2, 1, mark: mark).bytes) }
        world.run(.milliseconds(100))
        #expect(a.takeDelivered().isEmpty)
        let dscp = file(Self.first, pipeline: "[tun, allowed-ips, dscp, wireguard, udp]")
        _ = try reload(dscp, from: file(Self.first))
        world.run(.milliseconds(100))
        // Those from either queue are in their order.
        #expect(b.takeDelivered().joined().map { Frames.mark(of: $0) }.sorted() == [1, 2, 3, 4, 5])
        #expect(a.takeDelivered().joined().map { Frames.mark(of: $0) } == [6, 7, 8])
    }

    @Test func `what a stage holds goes on as it came when two stages change places`() throws {
        let peer = """
                  b:
                    public-key: "<b>"
                    endpoint: 192.0.2.2:51820
                    allowed-ips: [10.0.0.9/32]
                    netmap: { theirs: 10.0.0.2/32, ours: 10.0.0.9/32 }
            """
        let limit = "rate-limit: { default: { down: 80kbit, burst: 4kB } }"
        let one = file(peer, pipeline: "[tun, allowed-ips, netmap, \(limit), wireguard, udp]")
        let other = file(peer, pipeline: "[tun, allowed-ips, \(limit), netmap, wireguard, udp]")
        _ = try reload(one, from: file(Self.first))
        for (round, (before, after)) in [(one, other), (other, one)].enumerated() {
            let marks = Array(round * 100..<round * 100 + 40)
            for mark in marks { a.tuns[0][0].inject(Frames.packet(1, 9, mark: mark, payload: 500).bytes) }
            world.run(.milliseconds(100))
            let early = b.takeDelivered().joined().map { Frames.mark(of: $0, payload: 500) }
            #expect(early.count < marks.count, "some wait")
            _ = try reload(after, from: before)
            world.run(.milliseconds(100))
            let arrived = early + b.takeDelivered().joined().map { Frames.mark(of: $0, payload: 500) }
            #expect(arrived == marks)
        }
        #expect(a.report("netmap").drops.allSatisfy { $0.value == 0 })
    }

    // MARK: Any file after any other

    @Test(arguments: 0..<8) func anyFileAfterAnyOtherIsAsIfTheRouterHadBegunWithIt(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var current = file(Self.first)
        var sent: [Int] = []
        #expect(ping(0) == [0])
        let handshake = a.snapshots(of: 0, world.now).first?.peer.lastHandshake
        for round in 1...25 {
            let next = randomFile(&generator)
            _ = try reload(next, from: current)
            current = next
            try expectLike(next)
            #expect(ping(round) == [round], "the peer that stays loses nothing")
            sent.append(round)
        }
        #expect(a.snapshots(of: 0, world.now).first?.peer.lastHandshake == handshake, "nor its session")
        #expect(a.counter("wireguard", "packets-sealed") >= UInt64(sent.count), "counters go on")
    }

    /// b, and some of the others, each prefix at most once.
    private func randomFile(_ generator: inout SeededGenerator) -> String {
        var peers = Self.first
        var free = Array(3..<40).shuffled(using: &generator)
        let withStage = Bool.random(using: &generator)
        if withStage, Bool.random(using: &generator) {
            peers += "\n        dscp: { down: \(Int.random(in: 0..<64, using: &generator)) }"
        }
        for name in Self.names[2...].shuffled(using: &generator) where Bool.random(using: &generator) {
            let prefixes = (0..<Int.random(in: 0...3, using: &generator)).map { _ in "10.0.0.\(free.removeLast())/32" }
            peers +=
                "\n      \(name):\n        public-key: \"<\(name)>\"\n        allowed-ips: [\(prefixes.joined(separator: ", "))]"
            if Bool.random(using: &generator) {
                peers += "\n        endpoint: 192.0.2.\(Int.random(in: 50...60, using: &generator)):9"
            }
            if Bool.random(using: &generator) {
                peers += "\n        persistent-keepalive: \(Int.random(in: 1...60, using: &generator))"
            }
            if withStage, Bool.random(using: &generator) {
                peers += "\n        dscp: { up: \(Int.random(in: 0..<64, using: &generator)) }"
            }
        }
        return file(peers, pipeline: withStage ? "[tun, allowed-ips, dscp, wireguard, udp]" : "")
    }

    /// What the control plane and the workers know is what they would know of the file alone.
    private func expectLike(_ text: String) throws {
        let said = try load(text)
        let view = a.registry.view(wg0)
        #expect(Set(view.peers.map(\.peer.name)) == Set(said.interfaces[0].peers.map(\.name.value)))
        for said in said.interfaces[0].peers {
            let entry = try #require(view.peers.first { $0.peer.publicKey == said.publicKey.value })
            #expect(Set(entry.prefixes) == Set(said.allowedIPs.map(\.value)))
            #expect(entry.peer.persistentKeepalive == said.keepaliveSeconds)
            #expect(entry.peer.configuration == said)
            let known = a.snapshots(of: entry.peer.id.index, world.now)
            #expect(known.map(\.worker) == [entry.peer.worker])
            #expect(known.first?.peer.persistentKeepalive == .seconds(UInt64(said.keepaliveSeconds)))
            if let endpoint = said.endpoint?.value.endpoint, said.name.value != "b" {
                #expect(known.first?.peer.path?.remote == endpoint)
            }
        }
        let stages = said.pipeline.map(\.stage.value)
        #expect(a.workers.allSatisfy { $0.stages.map { type(of: $0).declaration.name } == stages })
    }

    private func apply(_ change: DeviceChange) throws -> Errno? {
        let box = Outcome()
        let changes = reloading.changes
        let thread = try Thread(name: "change") {
            let error = changes.apply(change, on: "wg0")
            box.value.withLock { $0 = .some(error) }
        }
        while box.value.withLock({ $0 == nil }) {
            world.settle()
            usleep(100)
        }
        thread.join()
        return box.value.withLock { $0 ?? nil }
    }

    private final class Outcome: Sendable {
        let value = Guarded<Errno??>(nil)
    }
}
