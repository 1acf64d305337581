import Configuration
import Control
import Crypto
import Glibc
import Linux
import Pipeline
import Testing
import Wire
import WireGuard

@testable import Router

/// What a change does to the registry, and what the workers are told (P-7.3, P-7.5, P-8.1 to P-8.17).
@Suite struct RegistryTests {
    private let world: World
    private let registry: PeerRegistry
    private let wg0 = InterfaceID(0)

    init() throws {
        world = try World(["a", "b", "c", "d", "e"])
        let router = try MemoryRouter(
            world, at: ["192.0.2.1"],
            GoldenPathTests.file(
                "a", workers: 2,
                peers: """
                          berlin:
                            public-key: "<b>"
                            allowed-ips: [10.0.2.0/24, "fd00:2::/64"]
                          lisbon:
                            public-key: "<c>"
                            allowed-ips: [10.0.3.0/24]
                    """))
        registry = router.registry
    }

    private func commit(_ change: DeviceChange) throws -> Edit { try registry.commit(change, on: wg0) }

    private func names(_ peers: some Sequence<RegisteredPeer>) -> [String] { peers.map(\.name).sorted() }

    /// Name and prefixes of each peer, in order.
    private var listing: [String] {
        registry.view(wg0).peers.map { peer, prefixes in
            ([peer.name] + prefixes.map(\.description)).joined(separator: " ")
        }
    }

    private func prefixes(_ edit: Edit) -> [String] {
        edit.prefixes.map { prefix, peer in
            "\(prefix) \(peer == .none ? "nobody" : registry[peer]?.name ?? "?")"
        }.sorted()
    }

    @Test func theFileIsWhereItBegins() {
        #expect(listing == ["berlin 10.0.2.0/24 fd00:2::/64", "lisbon 10.0.3.0/24"])
        #expect(registry.view(wg0).peers.map(\.peer.worker) == [0, 1])
        #expect(registry.displayName(PeerID(1)) == "lisbon")
    }

    @Test func p8_16_aChangeOfNothingTellsNobodyAnything() throws {
        let edit = try commit(
            Change.set(
                "private_key={a}", "public_key=<b>", "preshared_key=" + String(repeating: "0", count: 64),
                "persistent_keepalive_interval=0", "replace_allowed_ips=true", "allowed_ip=10.0.2.0/24",
                "allowed_ip=fd00:2::/64"))
        #expect(!edit.identityChanges && edit.additions.isEmpty && edit.adjustments.isEmpty)
        #expect(edit.prefixes.isEmpty && edit.removals.isEmpty)
    }

    @Test func p7_3_aPrefixMovesToItsNewPeerAndToItsEnd() throws {
        let edit = try commit(Change.set("public_key=<c>", "allowed_ip=10.0.2.0/24", "allowed_ip=10.0.3.0/24"))
        #expect(prefixes(edit) == ["10.0.2.0/24 lisbon"])
        #expect(listing == ["berlin fd00:2::/64", "lisbon 10.0.2.0/24 10.0.3.0/24"])
    }

    @Test func p7_5_onlyThePeersOwnPrefixIsTaken() throws {
        let other = try commit(Change.set("public_key=<b>", "allowed_ip=-10.0.3.0/24", "allowed_ip=-10.9.0.0/16"))
        #expect(other.prefixes.isEmpty)
        let own = try commit(Change.set("public_key=<b>", "allowed_ip=-10.0.2.0/24"))
        #expect(prefixes(own) == ["10.0.2.0/24 nobody"])
        #expect(listing == ["berlin fd00:2::/64", "lisbon 10.0.3.0/24"])
    }

    @Test func p8_5_ourOwnKeyIsPassedOver() throws {
        let edit = try commit(Change.set("public_key=<a>", "allowed_ip=10.0.2.0/24", "endpoint=192.0.2.9:1"))
        #expect(edit.additions.isEmpty && edit.prefixes.isEmpty && listing.count == 2)
    }

    @Test func `a peer of the file that a client removes and adds again is who it was`() throws {
        _ = try commit(Change.set("public_key=<b>", "remove=true"))
        #expect(listing == ["lisbon 10.0.3.0/24"])
        _ = try commit(Change.set("public_key=<d>", "allowed_ip=10.0.4.0/24"))
        let again = try commit(Change.set("public_key=<b>", "allowed_ip=10.0.2.0/24"))
        #expect(again.additions.map(\.peer.name) == ["berlin"])
        #expect(again.additions.first?.peer.configuration?.name.value == "berlin")
        #expect(listing.first == "lisbon 10.0.3.0/24" && listing.last == "berlin 10.0.2.0/24")
        // The same in one change, and with all peers.
        _ = try commit(Change.set("replace_peers=true", "public_key=<b>", "remove=true", "public_key=<c>"))
        #expect(listing == ["lisbon"])
        _ = try commit(Change.set("public_key=<b>", "allowed_ip=10.0.2.0/24"))
        #expect(listing == ["lisbon", "berlin 10.0.2.0/24"])
    }

    @Test func p8_1_aPeerWhoseKeyBecomesOursGoes() throws {
        let edit = try commit(Change.set("private_key={b}"))
        #expect(edit.identityChanges && names(edit.removals) == ["berlin"])
        #expect(prefixes(edit) == ["10.0.2.0/24 nobody", "fd00:2::/64 nobody"])
        let nobody = try commit(Change.set("private_key=" + String(repeating: "0", count: 64)))
        #expect(nobody.identityChanges && registry.view(wg0).privateKey == nil)
        #expect(try !commit(Change.set("private_key=" + String(repeating: "0", count: 64))).identityChanges)
    }

    @Test func p8_6_p8_7_removeAndUpdateOnly() throws {
        let edit = try commit(
            Change.set(
                "public_key=<d>", "update_only=true", "allowed_ip=10.0.2.0/24", "public_key=<e>", "remove=true",
                "public_key=<b>", "allowed_ip=10.7.0.0/16", "remove=true"))
        #expect(names(edit.removals) == ["berlin"] && edit.additions.isEmpty)
        #expect(prefixes(edit) == ["10.0.2.0/24 nobody", "fd00:2::/64 nobody"])
    }

    @Test func aPeerThatComesLaterIsNamedByItsKeyAndEvenlyOwned() throws {
        let edit = try commit(
            Change.set(
                "public_key=<d>", "endpoint=192.0.2.9:7", "allowed_ip=10.0.4.0/24", "public_key=<e>",
                "persistent_keepalive_interval=25"))
        #expect(edit.additions.map(\.peer.worker) == [0, 1] && edit.additions.map(\.isReplacement) == [false, false])
        #expect(edit.additions.first?.endpoint == Endpoint("192.0.2.9:7"))
        #expect(edit.additions.last?.peer.persistentKeepalive == 25 && edit.adjustments.isEmpty)
        #expect(edit.additions.first?.peer.name == World.publicKey("d").base64.prefix(8) + "…")
        #expect(registry.displayName(PeerID(2)) == edit.additions.first?.peer.name)
    }

    @Test func p8_17_whoeverIsReplacedBySomebodyOfTheSameKeyKeepsNumberAndWorker() throws {
        let edit = try commit(
            Change.set(
                "replace_peers=true", "public_key=<c>", "allowed_ip=10.0.3.0/24", "allowed_ip=10.0.2.0/24",
                "public_key=<d>"))
        #expect(names(edit.removals) == ["berlin"])
        #expect(edit.summary == ["2 peers added", "1 peer removed", "2 prefixes moved"])
        #expect(edit.additions.map(\.peer.id) == [PeerID(1), PeerID(2)])
        #expect(edit.additions.map(\.isReplacement) == [true, false])
        #expect(edit.additions[0].peer.worker == 1 && edit.additions[0].peer.name == "lisbon")
        #expect(
            prefixes(edit) == ["10.0.2.0/24 lisbon", "fd00:2::/64 nobody"], "what stays with its peer is not touched")
    }

    @Test func whatComesAndGoesWithOneChangeWasNeverThere() throws {
        let edit = try commit(
            Change.set("public_key=<d>", "allowed_ip=10.0.2.0/24", "public_key=<d>", "remove=true", "public_key=<e>"))
        #expect(edit.removals.isEmpty && edit.additions.map(\.peer.publicKey) == [World.publicKey("e")])
        #expect(
            prefixes(edit) == ["10.0.2.0/24 nobody"], "it was taken from its owner all the same (P-8.16: line by line)")
        #expect(edit.additions.first?.peer.id == PeerID(2), "its number is free at once: no worker has heard of it")
    }

    @Test func sectionsOfOnePeerAddUp() throws {
        let key = String(repeating: "7", count: 64)
        let edit = try commit(
            Change.set(
                "public_key=<b>", "preshared_key=\(key)", "public_key=<b>", "persistent_keepalive_interval=9",
                "public_key=<b>", "endpoint=[2001:db8::1]:1", "persistent_keepalive_interval=10"))
        #expect(edit.adjustments.count == 1)
        let adjustment = try #require(edit.adjustments.first)
        #expect(adjustment.persistentKeepalive == 10 && adjustment.endpoint == Endpoint("[2001:db8::1]:1"))
        #expect(adjustment.presharedKey?.value.isAbsent == false)
    }

    @Test func aNumberIsOutOfUseUntilItIsGivenBack() throws {
        _ = try commit(Change.set("public_key=<b>", "remove=true"))
        #expect(try commit(Change.set("public_key=<d>")).additions.map(\.peer.id) == [PeerID(2)])
        registry.giveBack([PeerID(0)])
        #expect(try commit(Change.set("public_key=<e>")).additions.map(\.peer.id) == [PeerID(0)])
        #expect(registry.displayName(PeerID(7)) == "a peer that is gone")
    }

    @Test func p8_15_tooManyPeersAreRefusedAndNothingIsChanged() throws {
        var change = Change.set("public_key=<b>", "remove=true")
        change.peers += (0..<PeerRegistry.peerBound).map { number in
            var bytes = [UInt8](repeating: 1, count: 32)
            for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
            return PeerChange(unsafe bytes.withUnsafeBytes { unsafe PublicKey(at: $0.baseAddress.unsafelyUnwrapped) })
        }
        #expect(throws: Errno(ENOMEM)) { try commit(change) }
        #expect(listing.count == 2)
        #expect(UAPIParser.peerBound == Limits.peers, "one operation may name them all")
    }
}
