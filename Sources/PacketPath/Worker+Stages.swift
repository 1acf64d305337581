import Pipeline
import Wire

extension Worker {
    /// A worker's groups and peers, with their options for one stage.
    package struct Members {
        let groups: [(GroupID, (any OptionRecord)?)]
        let peers: [(PeerID, GroupID?, (any OptionRecord)?)]

        package init(
            groups: [(GroupID, (any OptionRecord)?)], peers: [(PeerID, GroupID?, (any OptionRecord)?)]
        ) {
            self.groups = groups
            self.peers = peers
        }
    }

    /// What the stages could not deliver, each packet as it was when it came from the host.
    package func takeUndeliverable() -> [UndeliverablePackets.Entry] {
        var entries = undeliverable.take()
        for index in entries.indices where entries[index].peer != .none {
            let peer = entries[index].peer
            unsafe entries[index].quote.withUnsafeMutableBytes { quote in
                for stage in stages.reversed() { unsafe stage.restore(quote, to: peer) }
            }
        }
        return entries
    }
}

// Stages come and go while packets flow, between two turns.
extension Worker {
    /// Makes the pipeline what `recipes` say. A stage that is there stays, with all that it keeps, and is told of other
    /// options; one that cannot take them is made anew. `members` gives this worker's groups and peers for a stage.
    package func recompose(
        _ recipes: [StageRecipe], _ now: Instant, members: (_ stage: String) -> Members
    ) {
        let next = recipes.compactMap { recipe -> (any Stage)? in
            let present = stages.first { type(of: $0).declaration.name == recipe.name }
            if let present, !recipe.isChanged || present.reconfigure(recipe.options) { return present }
            guard let stage = recipe.make?(recipe.options, surroundings(now)) else { return present }
            let members = members(recipe.name)
            for (group, options) in members.groups { stage.set(group, options: options) }
            for (peer, group, options) in members.peers {
                if let group { stage.set(peer, group: group) }
                stage.set(peer, options: options)
            }
            Self.hand(members, from: present, to: stage)
            return stage
        }
        // What a stage holds has been through the stages on one side of it. Where two change places, it would miss one of
        // them or meet one twice.
        let leaving = stages.indices.filter { index in !next.contains { $0 === stages[index] } }
        let releasing = Self.keepOrder(stages, next) ? leaving : Array(stages.indices)
        // One may hold what another one has sent on: on its way down it meets those below, and on its way up those above.
        for index in releasing + releasing.reversed() { release(stageAt: index, now) }
        replaceStages(with: next)
    }

    private static func keepOrder(_ stages: [any Stage], _ next: [any Stage]) -> Bool {
        let (before, after) = (stages.map { type(of: $0).declaration.name }, next.map { type(of: $0).declaration.name })
        return before.filter(after.contains) == after.filter(before.contains)
    }

    /// What an instance knows of its peers and groups is the next one's too.
    private static func hand(_ members: Members, from present: (any Stage)?, to stage: any Stage) {
        guard let present = present as? any RememberingStage, let stage = stage as? any RememberingStage else { return }
        for (group, _) in members.groups {
            if let memory = present.memory(of: group) { stage.remember(memory, of: group) }
        }
        for (peer, _, _) in members.peers {
            if let memory = present.memory(of: peer) { stage.remember(memory, of: peer) }
        }
    }
}
