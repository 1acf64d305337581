import Pipeline
import Wire

extension Worker {
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
    /// options; one that cannot take them is made anew. `peers` gives this worker's peers with their options for a stage.
    package func recompose(
        _ recipes: [StageRecipe], _ now: Instant, peers: (_ stage: String) -> [(PeerID, (any OptionRecord)?)]
    ) {
        let next = recipes.compactMap { recipe -> (any Stage)? in
            let present = stages.first { type(of: $0).declaration.name == recipe.name }
            if let present, !recipe.isChanged || present.reconfigure(recipe.options) { return present }
            guard let stage = recipe.make?(recipe.options, surroundings(now)) else { return present }
            for (peer, options) in peers(recipe.name) { stage.set(peer, options: options) }
            return stage
        }
        for leaving in stages.indices.reversed() where !next.contains(where: { $0 === stages[leaving] }) {
            release(stageAt: leaving, now)
        }
        replaceStages(with: next)
    }
}
