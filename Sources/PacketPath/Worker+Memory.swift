import Pipeline
import Wire

// What stages have to know again after a restart, of the peers and groups of this worker. Called between two turns.
extension Worker {
    /// One of a peer or a group, as its stage says it.
    package struct Memory: Sendable {
        package let stage: String
        package let text: String
    }

    package func memories(of peer: PeerID) -> [Memory] { memories { $0.memory(of: peer) } }
    package func memories(of group: GroupID) -> [Memory] { memories { $0.memory(of: group) } }

    private func memories(_ ask: (any RememberingStage) -> String?) -> [Memory] {
        stages.compactMap { stage in
            guard let stage = stage as? any RememberingStage, let text = ask(stage) else { return nil }
            return Memory(stage: type(of: stage).declaration.name, text: text)
        }
    }

    /// `memories` gives what an earlier run has said, by the stage's name.
    package func remember(of peer: PeerID, _ memories: (_ stage: String) -> String?) {
        remember(memories) { $0.remember($1, of: peer) }
    }

    package func remember(of group: GroupID, _ memories: (_ stage: String) -> String?) {
        remember(memories) { $0.remember($1, of: group) }
    }

    private func remember(_ memories: (String) -> String?, _ tell: (any RememberingStage, String) -> Void) {
        for case let stage as any RememberingStage in stages {
            if let text = memories(type(of: stage).declaration.name) { tell(stage, text) }
        }
    }
}
