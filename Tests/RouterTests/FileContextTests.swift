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

    @Test func `a peer that goes, and one that comes, are refused what they have`() {
        let before = Self.context([Self.alice: ["10.0.1.0/24"]])
        let after = Self.context([Self.bob: ["10.0.1.0/24"]])
        let common = after.common(with: before)
        #expect(Set(common.peers.map(\.name)).isSuperset(of: [Self.alice, Self.bob]))
        #expect(Self.proven(common, Self.alice) == [] && Self.proven(common, Self.bob) == [])
        #expect(Self.claimed(common, Self.alice) == ["10.0.1.0/24"])
        #expect(Self.claimed(common, Self.bob) == ["10.0.1.0/24"])
        #expect(after.common(with: after).claims.values.allSatisfy { $0 == [Prefix("10.0.1.0/24")] })
    }
}
