import Configuration
import Linux
import Locking
import PacketPath
import Pipeline
import Wire
import WireGuard

// A running router becomes what a file says.
extension LiveChanges {
    /// Carries out a change of the file. `host` makes the host's part of it and throws where that cannot be made; until then
    /// nothing has changed here, and from then on nothing can fail but a worker (`ReloadProblem.brokeOff`).
    func apply(_ change: FileChange, host: () throws(ReloadProblem) -> Void) throws(ReloadProblem) -> FileOutcome {
        try turn.withLock { _ throws(ReloadProblem) -> FileOutcome in
            let arriving = change.arrivals.reduce(0) { $0 + $1.file.configuration.peers.count }
            guard registry.hasRoom(for: change.interfaces.map { ($0.id, $0.file) }, and: arriving) else {
                throw .tooManyPeers
            }
            let groups = try registry.change(
                to: change.groups, on: change.interfaces + change.arrivals.map { ($0.id, $0.file) }, of: change.file)
            var bindings: [(InterfaceID, Binding)] = []
            for (id, file) in change.interfaces {
                do throws(Errno) {
                    if let binding = try bind(file, on: id) { bindings.append((id, binding)) }
                } catch {
                    throw .port(file.configuration, error)
                }
            }
            try host()
            return try carryOut(change, groups, bindings)
        }
    }

    private func carryOut(
        _ change: FileChange, _ groups: GroupChange, _ bindings: [(InterfaceID, Binding)]
    ) throws(ReloadProblem) -> FileOutcome {
        var outcome = FileOutcome()
        for (id, binding) in bindings { install(binding, on: id) }
        for id in change.departures {
            guard leave(id) else { throw .brokeOff }
            outcome.summary.append("\(registry.name(of: id)): gone")
        }
        for arrival in change.arrivals {
            guard enter(arrival) else { throw .brokeOff }
            outcome.summary.append("\(registry.name(of: arrival.id)): new")
        }
        registry.commit(groups)
        guard carryOut(groups.settings, { owner, group in owner.set(group.id) { group.stageOptions[$0.name] } }) else {
            throw .brokeOff
        }
        for (id, file) in change.interfaces + change.arrivals.map({ ($0.id, $0.file) }) {
            let edit = registry.commit(file, on: id)
            settled(edit.settledPeers)
            guard carryOut(edit) else { throw .brokeOff }
            let new = Set(edit.additions.map(\.peer.id))
            outcome.searches += edit.searches.compactMap { search in
                guard let key = registry[search.peer]?.publicKey else { return nil }
                return EndpointResolver.Name(
                    interface: id, peer: search.peer, publicKey: key, endpoint: search.name,
                    moves: !new.contains(search.peer))
            }
            let moved = bindings.first { $0.0 == id }.map { ["UDP port \($0.1.port)", "mark \($0.1.mark)"] }
            let parts = edit.summary + (moved ?? [])
            if !parts.isEmpty { outcome.summary.append("\(registry.name(of: id)): \(parts.joined(separator: ", "))") }
        }
        if let pipeline = change.pipeline {
            guard recompose(pipeline) else { throw .brokeOff }
            outcome.summary.append("pipeline: \(pipeline.map(\.name).joined(separator: ", "))")
        }
        guard carryOut(groups.removals, { owner, group in owner.remove(group.id) }) else { throw .brokeOff }
        outcome.summary += groups.summary
        rules?.settle()
        Confinement.checkSecrets(logger)
        return outcome
    }

    /// Has something done for each group by its owner.
    private func carryOut(
        _ groups: [RegisteredGroup], _ errand: @escaping @Sendable (Worker, RegisteredGroup) -> Void
    ) -> Bool {
        var errands: [[Mailbox.Errand]] = mailboxes.map { _ in [] }
        for group in groups { errands[group.worker].append { owner, _ in errand(owner, group) } }
        return WorkerRound.run(errands, slice: Self.groupsATurn, mailboxes)
    }

    /// Errands of one worker in one turn.
    private static let groupsATurn = 256

    /// Every worker gets the stages of `pipeline`, each between two of its turns.
    private func recompose(_ pipeline: [StageRecipe]) -> Bool {
        let options = registry.stageOptions()
        return WorkerRound.run(mailboxes) { worker, now in
            let own = options[worker.id]
            worker.recompose(pipeline, now) { stage in
                Worker.Members(
                    groups: own.groups.map { ($0.group, $0.options[stage]) },
                    peers: own.peers.map { ($0.peer, $0.group, $0.options[stage]) })
            }
        }
    }
}
