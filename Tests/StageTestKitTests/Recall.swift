import Pipeline
import Wire

/// Counts each peer's packets and those of all together, which is what it knows of any group, over restarts; and can be told
/// to do it wrong.
final class Recall: PluginStage, RememberingStage {
    package static let declaration = StageDeclaration(
        name: "recall", summary: "counts packets over restarts", outbound: Passage(needs: .peer))

    package enum Fault: String, OptionChoice {
        case none
        /// What it is told of peers.
        case forget
        /// Says it in two lines.
        case lines
    }

    package struct Options: OptionRecord {
        let fault: Fault
        package init?(_ options: inout OptionReader) { fault = options.optional("fault", default: .none) }
    }

    private let fault: Fault
    private var counts = PeerTable<Int>()
    private var total = 0

    package init(_ options: Options, _ environment: StageEnvironment) { fault = options.fault }

    package func outbound(_ batch: inout PacketBatch) {
        for index in 0..<batch.count { counts[batch[index].peer] = (counts[batch[index].peer] ?? 0) + 1 }
        total += batch.count
    }

    package func memory(of peer: PeerID) -> String? { counts[peer].map { text($0) } }
    package func memory(of group: GroupID) -> String? { total > 0 ? text(total) : nil }
    private func text(_ count: Int) -> String { fault == .lines ? "\(count)\n" : "\(count)" }

    package func remember(_ memory: String, of peer: PeerID) {
        guard fault != .forget else { return }
        counts[peer] = number(memory)
    }
    package func remember(_ memory: String, of group: GroupID) { total = number(memory) ?? 0 }
    private func number(_ text: String) -> Int? { Int(text.filter { $0 != "\n" }) }
}
