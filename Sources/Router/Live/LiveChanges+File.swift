import Configuration
import Linux
import Locking
import PacketPath
import Pipeline
import Wire
import WireGuard

/// What a running router is to become, as far as its workers have a part in it.
struct FileChange {
    let interfaces: [(id: InterfaceID, file: InterfaceFile)]
    /// The pipeline, where it is another one than before.
    let pipeline: [StageRecipe]?
}

/// What carrying out a file's change has come to.
struct FileOutcome {
    /// Peers that are to be looked for.
    var searches: [EndpointResolver.Name] = []
    /// Of each interface that has changed, for the log: `wg0: 1 peer added`.
    var summary: [String] = []
}

extension LiveChanges {
    /// Carries out a change of the file. `host` makes the host's part of it and throws where that cannot be made; until then
    /// nothing has changed here, and from then on nothing can fail.
    func apply(_ change: FileChange, host: () throws(ReloadProblem) -> Void) throws(ReloadProblem) -> FileOutcome {
        try turn.withLock { _ throws(ReloadProblem) -> FileOutcome in
            guard registry.hasRoom(for: change.interfaces.map { ($0.id, $0.file) }) else { throw .tooManyPeers }
            var bindings: [(InterfaceID, Binding)] = []
            for (id, file) in change.interfaces {
                do throws(Errno) {
                    if let binding = try bind(file, on: id) { bindings.append((id, binding)) }
                } catch {
                    throw .port(file.configuration, error)
                }
            }
            try host()
            return try carryOut(change, bindings)
        }
    }

    private func carryOut(
        _ change: FileChange, _ bindings: [(InterfaceID, Binding)]
    ) throws(ReloadProblem) -> FileOutcome {
        var outcome = FileOutcome()
        for (id, binding) in bindings { install(binding, on: id) }
        for (id, file) in change.interfaces {
            let edit = registry.commit(file, on: id)
            settled(edit.settledPeers)
            guard carryOut(edit) else { throw .notPossible("the router is about to end") }
            let new = Set(edit.additions.map(\.peer.id))
            outcome.searches += edit.searches.map { search in
                EndpointResolver.Name(
                    interface: id, peer: search.peer, endpoint: search.name, moves: !new.contains(search.peer))
            }
            let moved = bindings.first { $0.0 == id }.map { ["UDP port \($0.1.port)", "mark \($0.1.mark)"] }
            let parts = edit.summary + (moved ?? [])
            if !parts.isEmpty {
                outcome.summary.append("\(file.configuration.name.value): \(parts.joined(separator: ", "))")
            }
        }
        if let pipeline = change.pipeline {
            guard recompose(pipeline) else { throw .notPossible("the router is about to end") }
            outcome.summary.append("pipeline: \(pipeline.map(\.name).joined(separator: ", "))")
        }
        Confinement.checkSecrets(logger)
        return outcome
    }

    /// Every worker gets the stages of `pipeline`, each between two of its turns.
    private func recompose(_ pipeline: [StageRecipe]) -> Bool {
        let peers = registry.stageOptions()
        return WorkerRound.run(mailboxes) { worker, now in
            worker.recompose(pipeline, now) { stage in peers[worker.id].map { ($0.peer, $0.options[stage]) } }
        }
    }
}
