import Nftables
import Pipeline

/// What one stage wants in the router's table.
package struct HostIntent: Sendable, Equatable {
    package var sets: [SetDefinition]
    package var chains: [Chain]
    /// In the order of the file, for people.
    package var listing: [ListedRule]

    package init(sets: [SetDefinition] = [], chains: [Chain] = [], listing: [ListedRule] = []) {
        self.sets = sets
        self.chains = chains
        self.listing = listing
    }
}

/// A rule as its user knows it, and where its packets are counted.
package struct ListedRule: Sendable, Equatable {
    package let stage: String
    /// `router.yaml:31`
    package let line: String
    package let text: String
    /// The name of a counter of the table.
    package let counter: String

    package init(stage: String, line: String, text: String, counter: String) {
        self.stage = stage
        self.line = line
        self.text = text
        self.counter = counter
    }
}

extension Table {
    /// The one table of a router. Its mark stays with it when nft saves and loads it.
    package init(router: String) {
        self.init("fullbore-\(router)", mark: "made by fullbore, which undoes what others change")
    }
}

extension Ruleset {
    /// The table of a router whose stages want these things. Two that want a set of one name want the same set.
    package init(router: String, _ intents: [HostIntent]) {
        var sets: [SetDefinition] = []
        var seen: Set<String> = []
        for set in intents.flatMap(\.sets) where seen.insert(set.name).inserted { sets.append(set) }
        self.init(Table(router: router), sets: sets, chains: intents.flatMap(\.chains))
    }
}
