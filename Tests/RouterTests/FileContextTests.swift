import HostStages
import Pipeline
import Testing
import Wire

@testable import Router

/// What rules may take for true while peers change.
struct FileContextTests {
    private static let alice = PeerName(tunnel: "wg0", name: "alice")
    private static let bob = PeerName(tunnel: "wg0", name: "bob")

    private static func context(_ peers: [PeerName: [String]]) -> FileContext {
        FileContext(
            router: "edge", file: "router.yaml",
            peers: peers.map { FileContext.Peer(name: $0, prefixes: $1.compactMap { Prefix($0) }) })
    }

    private static func proven(_ context: FileContext, _ peer: PeerName) -> Set<String> {
        Set(context.provenPrefixes(of: peer).map(\.description))
    }

    private static func claimed(_ context: FileContext, _ peer: PeerName) -> Set<String> {
        Set(context.claimedPrefixes(of: peer).map(\.description))
    }

    @Test func `a prefix that moves proves nobody, and is refused to both`() {
        let before = Self.context([Self.alice: ["10.0.1.0/24", "10.0.9.0/24"], Self.bob: ["10.0.2.0/24"]])
        let after = Self.context([Self.alice: ["10.0.1.0/24"], Self.bob: ["10.0.2.0/24", "10.0.9.0/24"]])
        let common = after.common(with: before)
        #expect(Self.proven(common, Self.alice) == ["10.0.1.0/24"])
        #expect(Self.proven(common, Self.bob) == ["10.0.2.0/24"])
        #expect(Self.claimed(common, Self.alice) == ["10.0.1.0/24", "10.0.9.0/24"])
        #expect(Self.claimed(common, Self.bob) == ["10.0.2.0/24", "10.0.9.0/24"])
    }

    @Test func `a prefix that is cut in two is refused all the while`() {
        let whole = Self.context([Self.alice: ["10.0.0.0/24"]])
        let halves = Self.context([Self.alice: ["10.0.0.0/25", "10.0.0.128/25"]])
        let common = halves.common(with: whole)
        #expect(Self.proven(common, Self.alice) == [])
        #expect(Self.claimed(common, Self.alice) == ["10.0.0.0/24", "10.0.0.0/25", "10.0.0.128/25"])
    }

    private static func context(_ ports: [String: UInt16]) -> FileContext {
        FileContext(
            router: "edge", file: "router.yaml",
            tunnels: ports.sorted { $0.key < $1.key }.map {
                FileContext.Tunnel(name: $0.key, listenPort: $0.value, addresses: [])
            })
    }

    @Test func `a tunnel whose port changes hears at both, and then at the new one`() {
        let before = Self.context(["wg0": 51820, "wg1": 7000])
        var after = Self.context(["wg0": 4444, "wg1": 7000])
        #expect(after.common(with: before).openPorts == [4444, 7000, 51820])
        #expect(after.openPorts == [4444, 7000])
        // A change that comes before the last one has been settled.
        after.move("wg0", to: 5555)
        let common = after.common(with: Self.context(["wg0": 4444, "wg1": 7000]).common(with: before))
        #expect(common.openPorts == [4444, 5555, 7000, 51820])
        #expect(common.tunnels[0].listenPort == 5555)
        // Back again.
        #expect(before.common(with: common).openPorts == [4444, 5555, 7000, 51820])
        #expect(before.common(with: common).tunnels[0].formerPorts == [4444, 5555])
    }

    @Test func `a tunnel that comes, goes, or has no port yet opens nothing that is not there`() {
        let before = Self.context(["wg0": 51820])
        #expect(Self.context(["wg1": 7000]).common(with: before).openPorts == [7000])
        #expect(Self.context(["wg0": 51820, "wg1": 0]).common(with: before).openPorts == [51820])
        var chosen = Self.context(["wg0": 0])
        chosen.keepPorts(of: before)
        #expect(chosen.common(with: before).openPorts == [51820])
        #expect(chosen.common(with: before).tunnels[0].formerPorts == [])
    }

    @Test func `a peer that goes, and one that comes, are refused what they have`() {
        let before = Self.context([Self.alice: ["10.0.1.0/24"]])
        let after = Self.context([Self.bob: ["10.0.1.0/24"]])
        let common = after.common(with: before)
        #expect(Set(common.peers.map(\.name)).isSuperset(of: [Self.alice, Self.bob]))
        #expect(Self.proven(common, Self.alice) == [] && Self.proven(common, Self.bob) == [])
        #expect(Self.claimed(common, Self.alice) == ["10.0.1.0/24"])
        #expect(Self.claimed(common, Self.bob) == ["10.0.1.0/24"])
        #expect(Self.claimed(after.common(with: after), Self.bob) == ["10.0.1.0/24"])
    }
}
