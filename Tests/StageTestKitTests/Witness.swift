import Pipeline
import Wire

/// Writes down what it is told of peers and groups.
final class Witness: PluginStage {
    package static let declaration = StageDeclaration(
        name: "witness", summary: "writes down what it is told", outbound: Passage(needs: .peer))

    package struct GroupOptions: OptionRecord {
        let rank: Int
        package init?(_ options: inout OptionReader) {
            guard let rank = options.require("rank", as: Int.self) else { return nil }
            self.rank = rank
        }
    }

    private(set) var told: [String] = []

    package init(_ options: NoOptions, _ environment: StageEnvironment) {}

    package func set(_ peer: PeerID, _ options: NoOptions?) { told.append("peer \(peer.index)") }
    package func remove(_ peer: PeerID) { told.append("peer \(peer.index) gone") }
    package func set(_ group: GroupID, _ options: GroupOptions?) {
        told.append("group \(group.index): \(options.map { "\($0.rank)" } ?? "none")")
    }
    package func set(_ peer: PeerID, group: GroupID?) {
        told.append("peer \(peer.index) in \(group.map { "\($0.index)" } ?? "none")")
    }
    package func remove(_ group: GroupID) { told.append("group \(group.index) gone") }
}
