/// What is done with the packets for which every match holds: the statements in their order.
package struct Rule: Hashable, Sendable {
    package var matches: [Match]
    package var statements: [Statement]
    /// Where the rule comes from, `router.yaml:31` say: nft lists it behind the rule, and an error of ours names it.
    package var comment: String

    /// With a `counter`, what the rule matches is counted there before anything else is done with it: a name that stays
    /// the same for what a user would call the same rule, whatever else of it changes.
    package init(_ matches: [Match], counter: String? = nil, _ statements: [Statement], comment: String = "") {
        self.matches = matches
        self.statements = (counter.map { [.counter($0)] } ?? []) + statements
        self.comment = comment
    }

    /// The named counters that the rule counts in.
    package var counterNames: [String] {
        statements.compactMap { if case .counter(let name) = $0 { name } else { nil } }
    }

    /// The rule as the kernel is given it: one, or one more for each log that has a limit; none when a match can't hold.
    ///
    /// In the kernel a limit is a match: when it is exceeded, nothing of the rule is done any more. So a limited log stands
    /// in a rule of its own before the other statements, which then hold for every packet.
    package var parts: [Rule] {
        var asked: [Match] = []
        for match in matches {
            guard let effective = match.effective else { return [] }
            asked += effective
        }
        var (logs, others): ([Rule], [Statement]) = ([], [])
        for statement in statements {
            if case .log(let log) = statement, log.limit != nil {
                logs.append(Rule(asked, [statement], comment: comment))
            } else {
                others.append(statement)
            }
        }
        return others.isEmpty && !logs.isEmpty ? logs : logs + [Rule(asked, others, comment: comment)]
    }
}
