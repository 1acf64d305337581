import Crypto
import Foundation
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import Support
import TUN
import Testing
import Wire
import WireGuard

@testable import Router

/// What stages have to know again after a restart.
@Suite final class StageMemoriesTests {
    private let state: String
    private let file: MemoryFile

    init() throws {
        var template = Array("/tmp/fullbore-test-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        state = unsafe String(cString: try #require(unsafe made))
        file = MemoryFile(stateDirectory: state, router: "edge")
    }

    deinit { try? FileManager.default.removeItem(atPath: state) }

    private static let key = World.publicKey("b")

    private static var memories: StageMemories {
        var memories = StageMemories()
        memories.peers[.init(stage: "rate-limit", interface: "wg0", publicKey: key)] = "month 646 1000"
        memories.peers[.init(stage: "rate-limit", interface: "wg1", publicKey: key)] = "day 1 2"
        memories.peers[.init(stage: "other", interface: "wg0", publicKey: key)] = "x"
        memories.groups[.init(stage: "rate-limit", name: "guests")] = "week 1 3"
        return memories
    }

    @Test func `what is saved is loaded, in lines that people can read`() throws {
        #expect(try file.load() == (StageMemories(), 0), "nothing yet")
        try file.save(Self.memories)
        #expect(try file.load() == (Self.memories, 0))
        let key = Self.key.base64
        #expect(
            try String(contentsOfFile: file.path, encoding: .utf8) == """
                other peer wg0 \(key) x
                rate-limit group guests week 1 3
                rate-limit peer wg0 \(key) month 646 1000
                rate-limit peer wg1 \(key) day 1 2

                """)
        try file.save(StageMemories())
        #expect(try file.load() == (StageMemories(), 0))
    }

    @Test(arguments: [
        "", "rate-limit", "rate-limit peer", "rate-limit peer wg0", "rate-limit peer wg0 key x",
        "rate-limit peer wg0 \(key.base64)", "rate-limit group guests", "rate-limit tribe guests x", "\u{0}\u{ff}",
    ])
    func `a line that makes no sense is left out`(_ line: String) {
        let good = file.text(of: Self.memories)
        let (memories, malformed) = file.parse(Array((good + line + "\n" + good).utf8))
        #expect(memories == Self.memories)
        #expect(malformed == (line.isEmpty ? 0 : 1))
    }

    @Test func `where the workers do not answer, what was saved stays`() throws {
        let keeper = try StateKeeper(file, Logger(label: "test"))
        #expect(keeper.load() == StageMemories())
        keeper.stop()
        keeper.run { Self.memories }
        keeper.run { nil }
        #expect(try file.load() == (Self.memories, 0))
    }

    // MARK: A router that comes back

    private static func router(_ groups: String, _ limit: String) -> String {
        """
        fullbore: 1
        name: a
        runtime: { workers: 2 }
        pipeline: [tun, allowed-ips, rate-limit, wireguard, udp]
        groups: \(groups)
        interfaces:
          wg0:
            private-key: { file: a.key }
            listen-port: 51820
            peers:
              c: { public-key: "<c>", allowed-ips: [10.0.0.3/32] }
              b: { public-key: "<b>", endpoint: "192.0.2.2:51820", allowed-ips: [10.0.0.2/32]\(limit) }

        """
    }

    private static let quota = "rate-limit: { quota: { total: 10kB, per: month, over: block } }"

    @Test(arguments: [("{}", ", \(quota)"), ("{ g: { peers: [b], \(quota) } }", "")])
    func `a router that comes back goes on with what was used, and tells it again`(
        _ groups: String, _ limit: String
    ) throws {
        let world = try World()
        let text = Self.router(groups, limit)
        let first = try MemoryRouter(world, at: ["192.0.2.1"], seed: 1, text)
        let b = try MemoryRouter(world, at: ["192.0.2.2"], seed: 2, GoldenPathTests.bFile)
        let size = Frames.packet(1, 2).bytes.count
        let fitting = (10_000 + size - 1) / size
        let before = fitting / 2
        for mark in 0..<before { first.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        world.run()
        #expect(b.takeDelivered().joined().count == before)
        let memories = try ask(first, world)
        #expect(memories.peers.count + memories.groups.count == 1)
        #expect((Array(memories.peers.values) + memories.groups.values)[0].hasSuffix(" \(before * size)"))

        try file.save(memories)
        world.run(.seconds(1))
        let second = try MemoryRouter(world, at: ["192.0.2.11"], seed: 3, text, memories: try file.load().0)
        #expect(try ask(second, world) == memories, "before its first packet")
        for mark in 0..<fitting { second.tun.inject(Frames.packet(1, 2, mark: mark).bytes) }
        world.run(.seconds(10))
        #expect(b.takeDelivered().joined().map { Frames.mark(of: $0) } == Array(0..<(fitting - before)))
        #expect(second.counter("rate-limit", "over-quota") == UInt64(before))
    }

    /// As the keeper's thread asks, and as it is asked at the end.
    private func ask(_ router: MemoryRouter, _ world: World) throws -> StageMemories {
        let question = MemoryQuestion(registry: router.registry)
        var last = StageMemories()
        for worker in router.workers { question.ask(worker, &last) }
        let answer = Guarded<StageMemories?>(nil)
        let isDone = Guarded(false)
        let mailboxes = router.mailboxes
        let thread = try Thread(name: "ask") {
            let answers = question.answers(mailboxes)
            answer.withLock { $0 = answers }
            isDone.withLock { $0 = true }
        }
        while !isDone.withLock({ $0 }) {
            world.settle()
            usleep(100)
        }
        thread.join()
        #expect(answer.withLock { $0 } == last)
        return last
    }
}
