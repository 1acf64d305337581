import Configuration
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import Support
import Testing
import Wire
import WireGuard

@testable import Router

/// Whose answer a look-up is that takes its time: names change meanwhile, peers go and their numbers are given to others.
@Suite struct EndpointResolverTests {
    private let world: World
    private let router: MemoryRouter
    private static let names = ["b", "c", "d"]

    init() throws {
        world = try World(["a", "b", "c", "d", "e"])
        let peers = Self.names.map { name in
            """
                  \(name):
                    public-key: "<\(name)>"
                    endpoint: \(name).example.net:51820
                    persistent-keepalive: 5
            """
        }
        router = try MemoryRouter(
            world, at: ["192.0.2.1"], GoldenPathTests.file("a", peers: peers.joined(separator: "\n")))
    }

    /// What becomes of the peers when this is what a name's look-up gives, and does meanwhile. It ends with that of `end`.
    private func remotes(
        _ answer: @escaping @Sendable (EndpointResolver, String) -> [String]
    ) throws -> [String?] {
        let own = Guarded<EndpointResolver?>(nil)
        let log = RouterLog(logger: Logger(label: "test"), registry: router.registry)
        let resolver = try EndpointResolver(router.plan, router.mailboxes, log) { name, _ in
            guard let resolver = own.withLock({ $0 }) else { return [] }
            guard !name.description.hasPrefix("end.") else {
                resolver.stop()
                return []
            }
            return answer(resolver, String(name.description.prefix { $0 != "." })).compactMap { Endpoint($0) }
        }
        own.withLock { $0 = resolver }
        resolver.run()
        own.withLock { $0 = nil }
        world.settle()
        return Self.names.indices.map { router.snapshots(of: $0, world.now).first?.peer.path?.remote.description }
    }

    private static func name(_ text: String, of peer: Int, _ key: String) -> EndpointResolver.Name {
        EndpointResolver.Name(
            interface: InterfaceID(0), peer: PeerID(peer), publicKey: World.publicKey(key),
            endpoint: HostPort(host: .name("\(text).example.net"), port: 51820))
    }

    @Test func `an answer for the name that a peer had before is none for its next one`() throws {
        let found = try remotes { resolver, name in
            switch name {
            case "b":
                resolver.look(for: [Self.name("other", of: 0, "b")])
                return ["192.0.2.8:1"]
            case "c": return ["192.0.2.3:1"]
            case "d":
                resolver.forget([PeerID(2)])
                return ["192.0.2.4:1"]
            default:
                resolver.look(for: [Self.name("end", of: 2, "d")])
                return []
            }
        }
        #expect(found == [nil, "192.0.2.3:1", nil])
    }

    @Test func `an answer for a peer that has gone is none for the one that has its number`() throws {
        let told = try remotes { resolver, name in
            switch name {
            case "d": resolver.look(for: [Self.name("other", of: 1, "e"), Self.name("end", of: 0, "b")])
            case "other": return ["192.0.2.9:1"]
            default: break
            }
            return []
        }
        #expect(told == [nil, nil, nil])
    }

    @Test func `the next address of a name is not tried once the peer has another name`() throws {
        let found = try remotes { resolver, name in
            switch name {
            case "b": return ["192.0.2.2:1", "192.0.2.3:1"]
            case "d":
                for _ in 0..<EndpointSearch.triesPerAddress {
                    resolver.unanswered(PeerID(0), handshakeAge: nil, Clocks.now())
                }
                resolver.look(for: [Self.name("other", of: 0, "b"), Self.name("end", of: 2, "d")])
            default: break
            }
            return []
        }
        #expect(found == ["192.0.2.2:1", nil, nil])
    }
}
