import Pipeline
import Wire

/// A stage that lets everything pass and remembers what it saw.
final class Probe: Stage {
    static let declaration = StageDeclaration(name: "probe", summary: "")

    struct Entry: Equatable {
        var packets: Int
        var bytes: Int
    }

    private(set) var outbound: [Entry] = []
    private(set) var inbound: [Entry] = []

    func outbound(_ batch: inout PacketBatch) { Self.note(batch, &outbound) }
    func inbound(_ batch: inout PacketBatch) { Self.note(batch, &inbound) }

    private static func note(_ batch: borrowing PacketBatch, _ entries: inout [Entry]) {
        for index in 0..<batch.count {
            entries.append(Entry(packets: batch[index].wirePackets, bytes: batch[index].count))
        }
    }

    func forget() {
        outbound = []
        inbound = []
    }

    func insert(above name: String, _ stages: [any Stage]) -> [any Stage] {
        stages.flatMap { stage -> [any Stage] in type(of: stage).declaration.name == name ? [self, stage] : [stage] }
    }
}
