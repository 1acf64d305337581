import Control
import Crypto
import Glibc
import Linux
import Locking
import Logging
import PacketPath
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

@testable import Router

/// Changes of a router whose packets flow meanwhile (P-8.16, P-9.2).
@Suite struct LiveChangesTests {
    private let world: World
    private let hub: MemoryRouter
    private let spokes: [MemoryRouter]
    private let changes: LiveChanges
    private let wg0 = InterfaceID(0)
    private let next = NextHost()

    /// Where the hub's port can move to; everything else is taken.
    private final class NextHost: @unchecked Sendable {  // Sendable: set before a change begins, and read by that alone
        var host: MemoryHost?
    }

    init() throws {
        let world = try World(["a", "b", "c", "d", "e"])
        self.world = world
        hub = try MemoryRouter(
            world, at: ["192.0.2.1"], seed: 1,
            GoldenPathTests.file(
                "a", workers: 2,
                peers: """
                          b:
                            public-key: "<b>"
                            endpoint: 192.0.2.2:51820
                            allowed-ips: [10.0.0.2/32]
                            rate-limit: { quota: { total: 50GB, per: month, over: block } }
                    """) + "\npipeline: [tun, allowed-ips, rate-limit, wireguard, udp]\n")
        spokes = try ["b", "c"].enumerated().map { index, name in
            try MemoryRouter(
                world, at: ["192.0.2.\(index + 2)"], seed: UInt64(index + 2),
                GoldenPathTests.file(
                    name,
                    peers: """
                              a:
                                public-key: "<a>"
                                endpoint: 192.0.2.1:51820
                                allowed-ips: [10.0.0.1/32]
                        """))
        }
        changes = LiveChanges(hub.registry, hub.mailboxes, hub.directories, hub.handshakes, Logger(label: "test")) {
            [next] _, port, _ throws(Errno) in
            guard let host = next.host, host.port == port else { throw Errno(port == 0 ? EMFILE : EADDRINUSE) }
            return LiveChanges.Ends(port: port, ports: host.ports, replies: host.replies)
        }
    }

    /// Carries the change out on a thread of its own, as in a router, while the workers have their turns here.
    private func apply(_ change: DeviceChange, meanwhile: () -> Void = {}) throws -> Errno? {
        let box = Outcome()
        let changes = changes
        let thread = try Thread(name: "change") {
            let error = changes.apply(change, on: "wg0")
            box.value.withLock { $0 = .some(error) }
        }
        while box.value.withLock({ $0 == nil }) {
            meanwhile()
            world.settle()
            usleep(100)
        }
        thread.join()
        return box.value.withLock { $0 ?? nil }
    }

    private final class Outcome: Sendable {
        let value = Guarded<Errno??>(nil)
    }

    private func ping(_ spoke: Int, mark: Int) {
        hub.tuns[0][mark % 2].inject(Frames.packet(1, UInt8(2 + spoke), mark: mark).bytes)
        world.run(.milliseconds(100))
    }

    private func got(_ spoke: Int) -> [Int] { spokes[spoke].takeDelivered().joined().map { Frames.mark(of: $0) } }

    @Test func aPeerComesAndIsReachedAndGoesAndIsNot() throws {
        ping(0, mark: 1)
        #expect(got(0) == [1])
        #expect(try apply(Change.set("public_key=<c>", "endpoint=192.0.2.3:51820", "allowed_ip=10.0.0.3/32")) == nil)
        for mark in 2..<6 { ping(1, mark: mark) }
        #expect(got(1) == [2, 3, 4, 5], "from either worker's queue")

        #expect(try apply(Change.set("public_key=<c>", "remove=true")) == nil)
        ping(1, mark: 6)
        #expect(got(1).isEmpty && hub.counter("allowed-ips", "no-route") == 1)
        #expect(hub.directories[0][World.publicKey("c")] == nil, "P-9.2: out of the table of keys")
        // What it sends is nobody's.
        spokes[1].tun.inject(Frames.packet(3, 1, mark: 7).bytes)
        world.run(.seconds(10))
        #expect(hub.takeDelivered().isEmpty)
        ping(0, mark: 8)
        #expect(got(0) == [8], "the other one's session lives on")
    }

    @Test func p7_3_aPrefixThatMovesTakesTheTrafficWithIt() throws {
        #expect(try apply(Change.set("public_key=<c>", "endpoint=192.0.2.3:51820")) == nil)
        ping(0, mark: 1)
        #expect(try apply(Change.set("public_key=<c>", "allowed_ip=10.0.0.2/32")) == nil)
        ping(0, mark: 2)
        #expect(got(0) == [1])
        // c opens it, and drops it: it is not for one of its hosts, which is not the hub's affair.
        #expect(spokes[1].counter("wireguard", "packets-opened") == 1)
    }

    @Test func p8_16_aPortThatCannotBeHadChangesNothing() throws {
        let error = try apply(
            Change.set("private_key={d}", "listen_port=7", "fwmark=0", "replace_peers=true", "public_key=<e>"))
        #expect(error == Errno(EADDRINUSE))
        #expect(hub.registry.view(wg0).peers.map(\.peer.name) == ["b"])
        #expect(hub.directories[0].identity?.publicKey == World.publicKey("a"))
        ping(0, mark: 1)
        #expect(got(0) == [1])
    }

    @Test func `an interface that goes while a change waits for its turn has no peer afterwards`() throws {
        let service = UAPIService(hub.registry, hub.mailboxes, hub.plan, changes)
        let box = Outcome()
        let change = Change.set("public_key=<c>", "allowed_ip=10.0.0.3/32")
        let thread = try changes.turn.withLock { _ in
            let thread = try Thread(name: "change") {
                if case .result(let error) = service.carryOut(.set(change), on: "wg0") {
                    box.value.withLock { $0 = .some(error) }
                }
            }
            usleep(20_000)  // Until it waits: with less it is still right, and the test lets more pass.
            hub.registry.vacate(wg0)
            return thread
        }
        thread.join()
        #expect(box.value.withLock { $0 } == .some(Errno(ENODEV)))
        #expect(hub.registry.view(wg0).peers.map(\.peer.name) == ["b"])
    }

    @Test func `what is told of a link that is another one's by then changes nothing`() {
        changes.linkChanged(wg0, isUp: false) { false }
        changes.mtuChanged(wg0, 1280, routes: [1280]) { false }
        let view = hub.registry.view(wg0)
        #expect(view.isUp && view.isBound && view.mtu == 1420 && view.routeMTUs.isEmpty)
    }

    @Test func p6_6_anotherMarkMakesAllSourcesBeChosenAnew() throws {
        ping(0, mark: 1)
        let source = { hub.snapshots(of: 0, world.now).first?.peer.path?.local }
        #expect(source()?.address == IPAddress("192.0.2.1"))
        #expect(try apply(Change.set("fwmark=0")) == nil)
        #expect(source() != nil, "it had none before")
        #expect(try apply(Change.set("fwmark=7")) == nil)
        #expect(hub.snapshots(of: 0, world.now).first?.peer.path?.remote != nil)
        #expect(source() == nil)
    }

    @Test func `P-6.3, P-8.2 a port that changes under a flow: all sources are chosen anew, and nothing is lost`()
        throws
    {
        ping(0, mark: 1)
        #expect(got(0) == [1])
        let source = { hub.snapshots(of: 0, world.now).first?.peer.path?.local }
        let hubAsSeen = { spokes[0].snapshots(of: 0, world.now).first?.peer.path?.remote }
        #expect(source()?.address == IPAddress("192.0.2.1"))
        #expect(hubAsSeen() == Endpoint("192.0.2.1:51820"))

        let moved = world.network.attach(addresses: hub.host.addresses, port: 4444, workers: 2)
        next.host = moved
        var sent = 1
        let error = try apply(Change.set("listen_port=4444")) {
            // Before, between and after the workers' own changes.
            guard sent < 200 else { return }
            sent += 1
            hub.tuns[0][sent % 2].inject(Frames.packet(1, 2, mark: sent).bytes)
        }
        #expect(error == nil)
        #expect(source() == nil, "nobody has written to the new port")
        hub.hosts[0] = moved
        ping(0, mark: sent + 1)
        #expect(got(0).sorted() == Array(2...sent + 1), "none of what went out meanwhile is lost")
        #expect(hub.registry.view(wg0).listenPort == 4444)
        #expect(hubAsSeen() == Endpoint("192.0.2.1:4444"), "the session goes on from there")

        spokes[0].tun.inject(Frames.packet(2, 1, mark: 7).bytes)
        world.run(.milliseconds(100))
        #expect(hub.takeDelivered().joined().map { Frames.mark(of: $0) } == [7])
        #expect(source()?.address == IPAddress("192.0.2.1"))
    }

    @Test func p8_1_whatWaitedForAPrivateKeyIsSentOnceThereIsOne() throws {
        #expect(try apply(Change.set("private_key=" + String(repeating: "0", count: 64))) == nil)
        ping(0, mark: 1)
        world.run(.seconds(30))
        #expect(got(0).isEmpty && hub.directories[0].identity == nil)
        #expect(try apply(Change.set("private_key={a}")) == nil)
        world.run(.milliseconds(100))
        #expect(got(0) == [1])
    }

    @Test func n17_bothEndsLearnOfAnotherPrivateKeyAndGoOnAtOnce() throws {
        ping(0, mark: 1)
        #expect(try apply(Change.set("private_key={e}")) == nil)
        ping(0, mark: 2)
        #expect(got(0) == [1], "b knows nobody of this key")
        #expect(try apply(Change.set("private_key={a}")) == nil)
        ping(0, mark: 3)
        #expect(got(0) == [2, 3])
    }

    @Test func p8_2_theSamePortIsNoChange() throws {
        #expect(try apply(Change.set("listen_port=51820")) == nil)
        #expect(try apply(Change.set("listen_port=0")) == Errno(EMFILE), "while 0 asks for another one each time")
    }

    @Test func p8_17_replacingAPeerByItselfBeginsItsSessionAnew() throws {
        ping(0, mark: 1)
        let stamp = hub.directories[0].greatestStamp(of: World.publicKey("b"))
        #expect(
            try apply(
                Change.set(
                    "replace_peers=true", "public_key=<b>", "endpoint=192.0.2.2:51820", "allowed_ip=10.0.0.2/32"))
                == nil)
        #expect(hub.directories[0].greatestStamp(of: World.publicKey("b")) == stamp, "S-20")
        ping(0, mark: 2)
        world.run(.seconds(6))
        #expect(got(0) == [1, 2])
    }

    @Test func `a peer replaced by itself has used what it had used`() throws {
        for mark in 1...3 { ping(0, mark: mark) }
        world.run(.seconds(1))
        let used = hub.workers.flatMap { $0.memories(of: PeerID(0)).map(\.text) }
        #expect(used.count == 1 && used.first?.hasSuffix(" 0") == false, "\(used)")
        let again = Change.set(
            "replace_peers=true", "public_key=<b>", "endpoint=192.0.2.2:51820", "allowed_ip=10.0.0.2/32")
        #expect(try apply(again) == nil)
        #expect(hub.workers.flatMap { $0.memories(of: PeerID(0)).map(\.text) } == used)
    }

    @Test func n33_tensOfThousandsOfPrefixesAndPeersComeAndGo() throws {
        var change = Change.set("public_key=<b>")
        change.peers[0].allowedIPs = (0..<40_000).compactMap { number in
            Prefix(IPAddress(v4: 0x1400_0000 + UInt32(number) << 8), length: 24).map { PeerChange.AllowedIP($0) }
        }
        #expect(try apply(change) == nil)
        #expect(hub.registry.view(wg0).peers.first?.prefixes.count == 40_001)
        ping(0, mark: 1)
        #expect(got(0) == [1])
        #expect(try apply(Change.set("public_key=<b>", "replace_allowed_ips=true", "allowed_ip=10.0.0.2/32")) == nil)
        hub.tun.inject(Frames.packet(1, 2, mark: 2).bytes)
        world.run(.milliseconds(100))
        #expect(got(0) == [2])
    }

    @Test func numbersComeBackWhenNobodyMeansThemAnyMore() throws {
        for round in 0..<20 {
            #expect(try apply(Change.set("public_key=<c>", "public_key=<d>", "public_key=<e>")) == nil)
            let numbers = hub.registry.view(wg0).peers.map(\.peer.id.index)
            #expect(numbers.allSatisfy { $0 < 4 }, "round \(round): \(numbers)")
            #expect(
                try apply(
                    Change.set(
                        "public_key=<c>", "remove=true", "public_key=<d>", "remove=true", "public_key=<e>",
                        "remove=true"))
                    == nil)
        }
    }
}
