import Pipeline

/// The port of an interface that is down: nothing comes in, and what would go out is dropped.
package final class ClosedPort: UDPPort {
    private var counters = UDPCounters()

    package init() {}

    package var descriptors: [CInt] { [] }

    package func receive(into batch: inout PacketBatch) {}

    package func send(_ batch: inout PacketBatch) {
        for index in 0..<batch.count { counters.drops.count(.noSocket, batch[index].wirePackets) }
        batch.removeAll()
    }

    package var report: StageReport { counters.report }
}
