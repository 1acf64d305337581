import Pipeline
import Wire

/// Gives a peer's prefix another name on this side of the tunnel: stateless, one address for one address.
package final class NetMap: PluginStage {
    package static let declaration = StageDeclaration(
        name: "netmap", summary: "translates a peer's prefix to another one, for sites whose addresses collide",
        outbound: Passage(needs: [.plaintext, .peer]), inbound: Passage(needs: [.plaintext, .peer]),
        counters: counters, drops: Drop.self)

    private static let counters: [Counter<NetMap>] = [
        Counter("translated-out", "packets to a peer in which an address was replaced") { $0.translatedOut },
        Counter("translated-in", "packets from a peer in which an address was replaced") { $0.translatedIn },
        Counter("quotes-translated", "errors among them whose quoted packet had an address replaced") {
            $0.quotesTranslated
        },
        Counter("packets-unmapped", "packets of a peer that has mappings, with no address in any of them") {
            $0.unmapped
        },
    ]

    package typealias PeerOptions = Mappings

    enum Drop: Int, DropReason {
        case sourceInOurs, destinationInTheirs, incompleteHeaders
        var name: String {
            switch self {
            case .sourceInOurs: "source-in-ours"
            case .destinationInTheirs: "destination-in-theirs"
            case .incompleteHeaders: "incomplete-headers"
            }
        }
    }

    private var peers = PeerTable<Translation>()
    private var translatedOut: UInt64 = 0
    private var translatedIn: UInt64 = 0
    private var quotesTranslated: UInt64 = 0
    private var unmapped: UInt64 = 0
    private var drops = DropCounters<Drop>()

    package init(_ options: NoOptions, _ environment: StageEnvironment) {}

    package func outbound(_ batch: inout PacketBatch) {
        translate(&batch, .outbound, &translatedOut, bypass: .destinationInTheirs)
    }

    package func inbound(_ batch: inout PacketBatch) {
        translate(&batch, .inbound, &translatedIn, bypass: .sourceInOurs)
    }

    private func translate(
        _ batch: inout PacketBatch, _ direction: Direction, _ translated: inout UInt64, bypass: Drop
    ) {
        var peer = PeerID.none
        var translation: Translation?
        batch.filter { packet in
            // Packets of one peer come in a row.
            if packet.peer != peer {
                peer = packet.peer
                translation = peers[peer]
            }
            guard let translation else { return .pass }
            switch unsafe translation.apply(direction, to: packet.contents, owing: packet.offload) {
            case .translated(let quote):
                translated += UInt64(packet.wirePackets)
                if quote { quotesTranslated += 1 }
                return .pass
            case .unmapped:
                unmapped += UInt64(packet.wirePackets)
                return .pass
            case .bypass: return .drop(drops.count(packet, bypass))
            case .incomplete: return .drop(drops.count(packet, .incompleteHeaders))
            }
        }
    }

    package func restore(_ beginning: UnsafeMutableRawBufferPointer, to peer: PeerID) {
        unsafe peers[peer]?.restore(beginning)
    }

    package func set(_ peer: PeerID, _ options: Mappings?) {
        peers[peer] = options.map { Translation($0.mappings) }
    }
    package func remove(_ peer: PeerID) { peers[peer] = nil }
    package func reconfigure(_ options: NoOptions) -> Bool { true }

    package var report: StageReport { StageReport(Self.counters, of: self, drops: drops.report) }
}
