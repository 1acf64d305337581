import PacketPath
import Pipeline
import Support
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// Peers whose endpoint is a name, as the packet path sees them: told where to look, and saying when nobody answers.
@Suite struct NamedPeerTests {
    private let world: World
    private let router: MemoryRouter
    private let peer: EnginePeer
    private static let interface = InterfaceID(0)
    private static let number = PeerID(0)

    init() throws {
        world = try World()
        router = try MemoryRouter(
            world, at: ["192.0.2.1"],
            GoldenPathTests.file(
                "a",
                peers: """
                          b:
                            public-key: "<b>"
                            endpoint: b.example.net:51820
                            allowed-ips: [10.0.0.2/32]
                            persistent-keepalive: 5
                    """))
        peer = try EnginePeer(world, "b", at: ["192.0.2.2"], to: "a", remote: "192.0.2.1:51820")
    }

    private func locate(_ text: String) throws {
        let endpoint = try #require(Endpoint(text))
        router.workers[0].wireGuard.locate(Self.number, at: endpoint, on: Self.interface, world.now)
    }

    private func relocate(_ text: String) throws {
        let endpoint = try #require(Endpoint(text))
        router.workers[0].wireGuard.relocate(Self.number, to: endpoint, on: Self.interface)
    }

    private var silences: [Interval?] {
        router.notes.compactMap { note -> Interval?? in
            if case .initiationUnanswered(let age) = note.event { .some(age) } else { nil }
        }
    }

    @Test func `the next address has its turn, and where it answers it stays`() throws {
        try locate("192.0.2.99:51820")
        world.run(.seconds(11))
        #expect(silences == [nil, nil])
        try relocate("192.0.2.2:51820")
        world.run(.seconds(6))
        #expect(router.notes.contains { $0.event == .handshakeCompleted(initiator: true) })
        let told = silences.count
        try relocate("192.0.2.98:51820")
        world.run(.seconds(60))
        #expect(silences.count == told, "a peer that answers is not looked for elsewhere")
    }

    @Test func `a session that dies tells its age`() throws {
        try locate("192.0.2.2:51820")
        world.run(.seconds(2))
        peer.host.addresses = []
        world.run(.seconds(200))
        let ages = silences.compactMap { $0?.nanoseconds }.map { $0 / 1_000_000_000 }
        #expect(ages.count > 10 && ages == ages.sorted())
        #expect(ages.last.map { $0 > 135 } == true)
    }

    @Test func `peers with an address say nothing`() throws {
        let world = try World()
        let router = try MemoryRouter(world, at: ["192.0.2.1"], GoldenPathTests.aFile)
        router.tun.inject(Frames.ping())
        world.run(.seconds(30))
        #expect(!router.notes.contains { if case .initiationUnanswered = $0.event { true } else { false } })
    }
}
