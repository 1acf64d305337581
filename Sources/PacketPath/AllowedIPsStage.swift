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
    private var search = OwnerSearch()

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
        let (interface, now) = (batch.interface, batch.now)
        search.run(&batch, in: tables[interface.index].prefixes) { ip in
            ip.destination
        } notIP: { packet in
            drops.count(packet, .notIP)
        } decide: { packet, owner in
            guard owner != .none else {
                undeliverable.note(packet, on: interface, now)
                return .drop(drops.count(packet, .noRoute))
            }
            packet.peer = owner
            return .pass
        }
    }

    package func inbound(_ batch: inout PacketBatch) {
        search.run(&batch, in: tables[batch.interface.index].prefixes) { ip in
            ip.source
        } notIP: { packet in
            drops.count(packet, .notIP)
        } decide: { packet, owner in
            owner == packet.peer ? .pass : .drop(drops.count(packet, .sourceNotAllowed))
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

/// Looks up all packets of a batch at once.
private struct OwnerSearch {
    private var addresses = ContiguousArray(repeating: IPAddress(v4: 0), count: PacketBatch.capacity)
    private var owners = ContiguousArray(repeating: PeerID.none, count: PacketBatch.capacity)

    @inline(__always)
    mutating func run(
        _ batch: inout PacketBatch, in prefixes: borrowing AllowedIPs, _ address: (IPPacket) -> IPAddress,
        notIP: (borrowing Packet) -> CountedDrop, decide: (inout Packet, PeerID) -> Verdict
    ) {
        var count = 0
        batch.filter { packet in
            guard let ip = unsafe IPPacket(packet.contents) else { return .drop(notIP(packet)) }
            addresses[count] = address(ip)
            count += 1
            return .pass
        }
        Self.lookUp(addresses, count, in: prefixes, &owners)
        var next = 0
        batch.filter { packet in
            next += 1
            return decide(&packet, owners[next - 1])
        }
    }

    private static func lookUp(
        _ addresses: ContiguousArray<IPAddress>, _ count: Int, in prefixes: borrowing AllowedIPs,
        _ owners: inout ContiguousArray<PeerID>
    ) {
        var owners = owners.mutableSpan
        prefixes.lookup(addresses.span.extracting(first: count), &owners)
    }
}
