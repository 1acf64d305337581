import Linux
import Pipeline
import TUN
import Wire

/// The top of the path: packets between the host's network stack and the stages.
package final class TUNStage: Stage {
    package static let declaration = StageDeclaration(
        name: "tun",
        summary: "reads packets from the TUN device and writes packets to it, super-packets whole",
        outbound: Passage(provides: .plaintext),
        inbound: Passage(needs: [.plaintext, .sourceChecked]),
        counters: TUNQueue.counters, drops: TUNDrop.self)

    /// A turn reads at most so many frames, malformed ones included, and no more once so many bytes are there: enough
    /// for a full run to the wire, and what a second-level cache holds together with its sealed copy.
    private static let framesPerTurn = 64
    private static let bytesPerTurn = 256 << 10
    /// So many that need a large buffer end it too, whatever they add up to: a worker's pool has only so many.
    private static let largeFramesPerTurn = 16
    /// Read at a time, between two looks at the sum.
    private static let framesPerRead = 8

    /// By interface.
    package private(set) var queues: [TUNQueue]
    /// Queues that have given way since the last look, still open.
    private var replaced: [(interface: InterfaceID, queue: TUNQueue)] = []
    /// What those that are gone had counted.
    private var earlier = StageReport()

    package init(queues: [TUNQueue]) { self.queues = queues }

    /// Reads what waits on the batch's interface; an error when the device is out of order for good.
    package func receive(into batch: inout PacketBatch) -> Errno? {
        var counted = 0
        var bytes = 0
        var large = 0
        for _ in 0..<Self.framesPerTurn / Self.framesPerRead
        where bytes < Self.bytesPerTurn && large < Self.largeFramesPerTurn {
            switch queues[batch.interface.index].receive(into: &batch, limit: Self.framesPerRead) {
            case .drained: return nil
            case .failed(let error): return error
            case .more: break
            }
            while counted < batch.count {
                bytes += batch[counted].count
                if batch[counted].buffer.size == .large { large += 1 }
                counted += 1
            }
        }
        return nil
    }

    /// Reads and writes another queue from now on.
    package func replace(_ queue: TUNQueue, on interface: InterfaceID) {
        earlier.add(queues[interface.index].report)
        replaced.append((interface, queues[interface.index]))
        queues[interface.index] = queue
    }

    /// The queues that have given way, for whoever waits for their descriptors; they close when it lets go of them.
    package func takeReplaced() -> [(interface: InterfaceID, queue: TUNQueue)] {
        defer { replaced.removeAll() }
        return replaced
    }

    package func inbound(_ batch: inout PacketBatch) { queues[batch.interface.index].send(&batch) }

    package var report: StageReport {
        queues.reduce(into: earlier) { $0.add($1.report) }
    }
}
