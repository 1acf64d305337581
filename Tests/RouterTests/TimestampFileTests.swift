import Crypto
import Foundation
import Linux
import Logging
import Testing
import Wire
import WireGuard

@testable import Router

/// The peers' greatest time stamps, kept over a restart (S-20).
@Suite final class TimestampFileTests {
    private let state: String
    private let file: TimestampFile

    init() throws {
        var template = Array("/tmp/fullbore-test-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        state = unsafe String(cString: try #require(unsafe made))
        file = TimestampFile(stateDirectory: "\(state)/deep", router: "edge")
    }

    deinit { try? FileManager.default.removeItem(atPath: state) }

    private static let stamps: TimestampFile.Stamps = [
        "wg0": [
            World.publicKey("a"): TAI64N(seconds: 0x4000_0000_6000_000a, nanoseconds: 16_777_216),
            World.publicKey("b"): TAI64N(seconds: .max, nanoseconds: .max),
        ],
        "wg1": [World.publicKey("a"): TAI64N(seconds: 0, nanoseconds: 0)],
    ]

    @Test func whatIsSavedIsLoaded() throws {
        #expect(try file.load() == ([:], 0), "nothing yet")
        try file.save(Self.stamps)
        #expect(try file.load() == (Self.stamps, 0))
        try file.save(["wg0": [:]])
        #expect(try file.load() == ([:], 0), "what was there is gone")
        let folder = try FileManager.default.contentsOfDirectory(atPath: "\(state)/deep/edge")
        #expect(folder == ["timestamps"])
    }

    @Test func onlyItsOwnerReadsIt() throws {
        try file.save(Self.stamps)
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test(arguments: [
        "", "wg0", "wg0 key 1 2", "wg0 \(World.publicKey("a").base64) -1 0",
        "wg0 \(World.publicKey("a").base64) 1 4294967296",
        "wg0 \(World.publicKey("a").base64) 1 2 3", "\u{0}\u{ff}",
    ])
    func aLineThatMakesNoSenseIsLeftOut(line: String) {
        let good = file.text(of: Self.stamps)
        let (stamps, malformed) = file.parse(Array((good + line + "\n" + good).utf8))
        #expect(stamps == Self.stamps)
        #expect(malformed == (line.isEmpty ? 0 : 1))
    }

    @Test func aFailedSaveLeavesWhatWasThere() throws {
        try file.save(Self.stamps)
        try FileManager.default.createDirectory(atPath: "\(file.path).new", withIntermediateDirectories: false)
        #expect(throws: Errno.self) { try self.file.save(["wg0": [:]]) }
        #expect(try file.load() == (Self.stamps, 0))
    }

    @Test(.timeLimit(.minutes(1))) func theKeeperSavesOnceMoreWhenItEnds() throws {
        let keeper = try TimestampKeeper(file, Logger(label: "test"))
        #expect(keeper.load().isEmpty)
        keeper.stop()
        keeper.run { Self.stamps }
        #expect(try file.load() == (Self.stamps, 0))
    }

    /// A router that comes back with what it remembers.
    @Test func anInitiationThatAnEarlierRunHasTakenIsRefused() throws {
        let world = try World()
        let text = GoldenPathTests.file("a", peers: "      b: { public-key: \"<b>\", allowed-ips: [10.0.0.2/32] }")
        let first = try MemoryRouter(world, at: ["192.0.2.1"], text)
        let peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
        world.run(.seconds(10))
        let initiation = peer.initiation(world.now)
        peer.sendDatagrams([initiation], world.now)
        world.run()
        #expect(peer.datagrams.count == 1, "answered")
        let remembered = first.greatestStamps
        #expect(remembered["wg0"]?.count == 1)

        let target = try #require(IPAddress("192.0.2.9"))
        let second = try MemoryRouter(world, at: [target.description], text, remembered: remembered)
        let endpoint = Endpoint(address: target, port: 51820)
        peer.sendDatagrams([initiation], world.now, to: endpoint)
        world.run()
        #expect(second.counter("wireguard", "replayed-initiation") == 1)
        peer.sendDatagrams([peer.initiation(world.now)], world.now, to: endpoint)
        world.run()
        #expect(second.counter("wireguard", "replayed-initiation") == 1)
        #expect(second.counter("udp", "datagrams-out") == 1, "a new one is answered")
    }
}
