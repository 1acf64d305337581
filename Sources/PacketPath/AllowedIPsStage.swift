import AllowedIPs
import Pipeline
import Wire

/// Cryptokey routing (§2 of the paper): outbound, which peer owns the destination; inbound, may this peer use that
/// source? One longest-prefix table per interface answers both (P-4.9).
package final class AllowedIPsStage: Stage {
    package static let declaration = StageDeclaration(
        name: "allowed-ips",
        summary: "finds the peer that owns a destination, and drops what comes from a source that is not the peer's",
        outbound: Passage(needs: .plaintext, provides: .peer),
        inbound: Passage(needs: [.plaintext, .peer], provides: .sourceChecked), drops: Drop.self)

    enum Drop: Int, DropReason {
        case notIP, noRoute, sourceNotAllowed
        var name: String {
            switch self {
            case .notIP: "not-ip"
            case .noRoute: "no-route"
            case .sourceNotAllowed: "source-not-allowed"
            }
        }
    }

    /// By interface.
    private let tables: ContiguousArray<Table>
    private var drops = DropCounters<Drop>()
    private let undeliverable: UndeliverablePackets

    package init(interfaces: Int, undeliverable: UndeliverablePackets = UndeliverablePackets()) {
        self.undeliverable = undeliverable
        tables = ContiguousArray((0..<interfaces).map { _ in Table() })
    }

    /// Gives a prefix to a peer, taking it from whoever had it (P-7.3).
    package func insert(_ prefix: Prefix, _ peer: PeerID, on interface: InterfaceID) {
        tables[interface.index].prefixes.insert(prefix, peer: peer)
    }

    /// Gives a prefix to `peer`, whoever had it; to nobody for `PeerID.none`.
    package func set(_ prefix: Prefix, _ peer: PeerID, on interface: InterfaceID) {
        let table = tables[interface.index]
        guard peer == .none else { return table.prefixes.insert(prefix, peer: peer) }
        let owner = table.prefixes.owner(of: prefix)
        if owner != .none { table.prefixes.remove(prefix, peer: owner) }
    }

    package func outbound(_ batch: inout PacketBatch) {
        let table = tables[batch.interface.index]
        let (interface, now) = (batch.interface, batch.now)
        batch.filter { packet in
            guard let ip = unsafe IPPacket(packet.contents) else { return .drop(drops.count(packet, .notIP)) }
            let peer = table.prefixes.lookup(ip.destination)
            guard peer != .none else {
                undeliverable.note(packet, on: interface, now)
                return .drop(drops.count(packet, .noRoute))
            }
            packet.peer = peer
            return .pass
        }
    }

    package func inbound(_ batch: inout PacketBatch) {
        let table = tables[batch.interface.index]
        batch.filter { packet in
            guard let ip = unsafe IPPacket(packet.contents) else { return .drop(drops.count(packet, .notIP)) }
            guard table.prefixes.lookup(ip.source) == packet.peer else {
                return .drop(drops.count(packet, .sourceNotAllowed))
            }
            return .pass
        }
    }

    package func remove(_ peer: PeerID) {
        for table in tables { table.prefixes.removeAll(of: peer) }
    }

    package var report: StageReport { StageReport(drops: drops.report) }
}

/// A table is one thing wherever it is looked at from.
private final class Table {
    var prefixes = AllowedIPs()
}
