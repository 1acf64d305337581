/// What turns a table as it is into a table as it is to be, in an order that the kernel takes in one transaction.
///
/// All rules go and come anew; counters and sets that are wanted stay, with what they hold. What others still ask for goes
/// after them: rules before sets, sets before the chains that one of somebody else's may jump to.
struct TablePlan: Sendable {
    enum Step: Hashable, Sendable {
        case addTable
        case deleteTable
        case flushRules
        case deleteElements(KernelSet)
        case deleteSet(String)
        case deleteChain(String)
        case deleteObject(String, type: UInt32)
        case addCounter(String)
        case addChain(Chain)
        case addSet(KernelSet)
        case addElements(KernelSet)
        case addRule(Rule, chain: String)
    }

    /// NFT_OBJECT_COUNTER.
    static let counterType: UInt32 = 1

    let table: String
    private(set) var steps: [Step] = []

    /// Deletes the table with all that is in it.
    init(deleting table: Table) {
        self.table = table.name
        steps = [.deleteTable]
    }

    init(from contents: TableContents, to ruleset: Ruleset) throws(NftablesError) {
        table = ruleset.table.name
        var contents = contents
        if contents.isDormant {
            // The kernel does not wake a table and change its chains at once; none of ours sleeps.
            steps.append(.deleteTable)
            contents = TableContents(generation: contents.generation)
        }
        var sets: [KernelSet] = []
        for set in ruleset.sets { sets.append(try KernelSet(set)) }
        let present = Dictionary(contents.sets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let wanted = Dictionary(sets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let counters = ruleset.counters

        if !contents.exists { steps.append(.addTable) }
        steps.append(.flushRules)
        // Sets first: a map that is not ours may be all that still asks for a chain.
        for set in contents.sets {
            guard let new = wanted[set.name], new.hasShape(of: set) else {
                steps.append(.deleteSet(set.name))
                continue
            }
            steps.appendElements(of: set, without: new, as: Step.deleteElements)
        }
        let kept = Self.keptChains(contents, ruleset)
        for chain in contents.chains where !kept.contains(chain.name) { steps.append(.deleteChain(chain.name)) }
        let unwanted = Set(contents.counters.keys).subtracting(counters)
        for name in unwanted.sorted() { steps.append(.deleteObject(name, type: Self.counterType)) }
        for object in contents.otherObjects { steps.append(.deleteObject(object.name, type: object.type)) }

        for name in counters where contents.counters[name] == nil { steps.append(.addCounter(name)) }
        for chain in ruleset.chains
        where !kept.contains(chain.name) || contents.policy(of: chain.name) != chain.base?.policy {
            steps.append(.addChain(chain))
        }
        for set in sets {
            guard let old = present[set.name], set.hasShape(of: old) else {
                var empty = set
                empty.elements = []
                steps.append(.addSet(empty))
                steps.appendElements(of: set, without: empty, as: Step.addElements)
                continue
            }
            steps.appendElements(of: set, without: old, as: Step.addElements)
        }
        for chain in ruleset.chains {
            for rule in chain.rules.flatMap(\.parts) { steps.append(.addRule(rule, chain: chain.name)) }
        }
    }

    /// The chains that stay: called at the same place as before, or at none.
    private static func keptChains(_ contents: TableContents, _ ruleset: Ruleset) -> Set<String> {
        let wanted = Dictionary(ruleset.chains.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return Set(
            contents.chains.filter { chain in
                guard let new = wanted[chain.name] else { return false }
                return new.base?.place == chain.base?.place && (new.base != nil) == chain.isBase
            }.map(\.name))
    }
}

extension TableContents {
    fileprivate func policy(of chain: String) -> Nftables.Chain.Policy? {
        chains.first { $0.name == chain }?.base?.policy
    }
}

extension [TablePlan.Step] {
    fileprivate mutating func appendElements(
        of set: KernelSet, without other: KernelSet, as step: (KernelSet) -> TablePlan.Step
    ) {
        var difference = set
        difference.elements.subtract(other.elements)
        if !difference.elements.isEmpty { append(step(difference)) }
    }
}

extension Chain.Base {
    /// What cannot change while the chain is there: all but the policy.
    fileprivate var place: Chain.Base {
        Chain.Base(kind, hook: hook, priority: priority, policy: .accept)
    }
}
