import HostStages
import Pipeline

/// The rules with what they mean in this file: what the kernel is given, and what the model asks.
package struct Policy: Sendable {
    package struct Rule: Sendable {
        package let verb: FirewallRule.Verb
        /// nil: whatever it is.
        package let services: [ServicePorts]?
        package let from: [Place]
        package let to: [Place]
        package let log: LogRate?
        /// What it is called in the kernel's log.
        package let title: String
        package let text: String
        package let counter: String
        package let position: SourcePosition
    }

    package let standard: FirewallOptions.Default
    package let rules: [Rule]
    package let context: FileContext
    /// Flows that go on to another host than they asked for.
    package let openings: [Opening]

    /// Names that mean nothing are errors, and left out.
    package init(_ options: FirewallOptions, _ context: FileContext, _ diagnostics: Diagnostics) {
        standard = options.standard
        self.context = context
        openings = context.openings
        rules = options.rules.compactMap { located in
            let rule = located.value
            let from = context.resolve(rule.from, diagnostics)
            let to = context.resolve(rule.to, diagnostics)
            let services = options.services.resolve(rule.services, diagnostics)
            // A peer may have gone since the file was read: the rule goes on for the others that it names.
            guard !from.isEmpty, !to.isEmpty, services?.isEmpty != true else { return nil }
            return Rule(
                verb: rule.verb, services: services, from: from, to: to, log: rule.log,
                title: rule.name?.value ?? rule.text, text: rule.text,
                counter: rule.name.map { "rule-\($0.value)" } ?? KernelName.of("rule", rule.text),
                position: located.position)
        }
    }

    /// UDP ports that the tunnels listen on.
    package var listenPorts: [UInt16] { context.openPorts }
}
