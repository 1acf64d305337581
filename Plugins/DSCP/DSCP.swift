import Pipeline
import Wire

/// Rewrites the DSCP (RFC 2474) of the packets inside the tunnel. What it is outside is the protocol's business.
package final class DSCP: PluginStage {
    package static let declaration = StageDeclaration(
        name: "dscp", summary: "sets, keeps or clears the DSCP of the packets inside the tunnel",
        outbound: Passage(needs: [.plaintext, .peer]), inbound: Passage(needs: [.plaintext, .peer]),
        counters: counters)

    private static let counters = [
        Counter<DSCP>("packets-marked", "packets whose DSCP was another one before; a super-packet as its segments") {
            $0.marked
        }
    ]

    package struct Options: OptionRecord {
        let down, up: Marking

        package init?(_ options: inout OptionReader) {
            down = options.optional("down", default: .keep, help: "the DSCP of packets to the peer")
            up = options.optional("up", default: .keep, help: "the DSCP of packets from the peer")
        }
    }
    package typealias PeerOptions = Options

    private var standard: Options
    private var peers = PeerTable<Options>()
    private var marked: UInt64 = 0

    package init(_ options: Options, _ environment: StageEnvironment) { standard = options }

    package func outbound(_ batch: inout PacketBatch) { mark(&batch) { $0.down } }
    package func inbound(_ batch: inout PacketBatch) { mark(&batch) { $0.up } }

    private func mark(_ batch: inout PacketBatch, _ direction: (Options) -> Marking) {
        for index in 0..<batch.count {
            guard case .set(let code) = direction(peers[batch[index].peer] ?? standard) else { continue }
            let changed = unsafe TrafficClass.replace(
                batch[index].contents, with: code << 2, mask: TrafficClass.dscpMask)
            if changed { marked += UInt64(batch[index].wirePackets) }
        }
    }

    package func set(_ peer: PeerID, _ options: Options?) { peers[peer] = options }
    package func remove(_ peer: PeerID) { peers[peer] = nil }

    package func reconfigure(_ options: Options) -> Bool {
        standard = options
        return true
    }

    package var report: StageReport { StageReport(Self.counters, of: self) }
}
