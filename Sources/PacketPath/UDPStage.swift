import Pipeline
import UDP
import Wire

/// The bottom of the path: runs of datagrams between the stages and the wire.
package final class UDPStage: Stage {
    package static let declaration = StageDeclaration(
        name: "udp",
        summary: "sends runs of datagrams to peers and receives them, with segmentation offload where there is one",
        outbound: Passage(needs: .sealed),
        inbound: Passage(provides: .sealed),
        counters: UDPCounters.declared, drops: UDPDrop.self)

    /// By interface.
    package private(set) var ports: [any UDPPort]
    /// Ports that have given way since the last look, still open.
    private var replaced: [(interface: InterfaceID, port: any UDPPort)] = []
    /// What those that are gone had counted.
    private var earlier = StageReport()

    package init(ports: [any UDPPort]) { self.ports = ports }

    package func receive(into batch: inout PacketBatch) { ports[batch.interface.index].receive(into: &batch) }

    package func outbound(_ batch: inout PacketBatch) { ports[batch.interface.index].send(&batch) }

    /// Sends and receives through another port from now on.
    package func replace(_ port: any UDPPort, on interface: InterfaceID) {
        earlier.add(ports[interface.index].report)
        replaced.append((interface, ports[interface.index]))
        ports[interface.index] = port
    }

    /// The ports that have given way, for whoever waits for their descriptors; they close when it lets go of them.
    package func takeReplaced() -> [(interface: InterfaceID, port: any UDPPort)] {
        defer { replaced.removeAll() }
        return replaced
    }

    package var report: StageReport {
        ports.reduce(into: earlier) { $0.add($1.report) }
    }
}
