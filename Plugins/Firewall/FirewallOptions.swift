import HostStages
import Pipeline

/// What stands under `firewall` in the pipeline.
package struct FirewallOptions: HostOptions {
    /// What becomes of a flow between zones, or to this host, that no rule decides on.
    package enum Default: String, OptionChoice {
        case drop, reject, accept
    }

    package enum ReversePath: String, OptionChoice {
        /// An answer to the source would leave by the interface that the packet came in by.
        case strict
        /// It would leave by some interface.
        case loose
        case off
    }

    package let standard: Default
    package let services: ServiceTable
    package let clampsMSS: Bool
    package let reversePath: ReversePath
    package let rules: [Located<FirewallRule>]

    /// The most rules of a file.
    static let maximumRules = 20_000

    package init?(_ options: inout OptionReader) {
        standard = options.optional(
            "default", default: .drop,
            help: "what becomes of flows between zones and to this host that no rule decides on")
        services = options.optional("services", default: ServiceTable(), help: "names for services of your own")
        clampsMSS = options.optional(
            "mss-clamp", default: true,
            help: "whether the maximum segment size of forwarded TCP is lowered to what the route takes")
        reversePath = options.optional(
            "reverse-path", default: .strict, help: "whether a packet whose answer would leave elsewhere is dropped")
        let rules = options.optional(
            "rules", default: [Located<FirewallRule>](), help: "who may begin what flow; the first match wins")
        if rules.count > Self.maximumRules { options.error("more than \(Self.maximumRules) rules", at: "rules") }
        self.rules = Array(rules.prefix(Self.maximumRules))
    }

    package var judgesTests: Bool { true }

    package func resolve(in context: FileContext, _ diagnostics: Diagnostics) {
        var names: [String: SourcePosition] = [:]
        for rule in rules {
            guard let name = rule.value.name else { continue }
            if let first = names.updateValue(name.position, forKey: name.value) {
                diagnostics.error(
                    "rule \(Quotation.quote(name.value)) is on line \(first.line) already", at: name.position)
            }
        }
        let hadErrors = diagnostics.hasErrors
        let policy = Policy(self, context, diagnostics)
        // What follows from a name that means nothing is not worth telling.
        guard !diagnostics.hasErrors || hadErrors else { return }
        Shadowing.report(policy, diagnostics)
        if standard != .accept, !context.zones.contains(where: { !$0.patterns.isEmpty }) {
            diagnostics.warning(
                "no zone names an interface: all of them are within '\(Zone.other)', and what passes between them is accepted",
                at: nil)
        }
        for test in context.tests { TestJudge.judge(test, policy, diagnostics) }
    }

    package func intent(in context: FileContext) -> HostIntent {
        FirewallRuleset(self, Policy(self, context, Diagnostics())).intent
    }
}
