import Pipeline
import UDP
import Wire

/// The bottom of the path: runs of datagrams between the stages and the wire.
package final class UDPStage: Stage {
    package static let declaration = StageDeclaration(
        name: "udp",
        summary: "sends runs of datagrams to peers and receives them, with segmentation offload where there is one",
        outbound: Passage(needs: .sealed),
        inbound: Passage(provides: .sealed))

    /// By interface.
    package let ports: [any UDPPort]

    package init(ports: [any UDPPort]) { self.ports = ports }

    package func receive(into batch: inout PacketBatch) { ports[batch.interface.index].receive(into: &batch) }

    package func outbound(_ batch: inout PacketBatch) { ports[batch.interface.index].send(&batch) }

    package var report: StageReport {
        ports.reduce(into: StageReport()) { $0.add($1.report) }
    }
}
