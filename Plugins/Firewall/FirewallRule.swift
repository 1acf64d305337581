import HostStages
import Pipeline

/// One rule as it is written: `{ allow: [ssh, icmp], from: admins, to: [lan, self] }`.
package struct FirewallRule: OptionRecord {
    package enum Verb: String, Sendable, CaseIterable {
        case allow
        /// The packet is dropped, and nobody is told.
        case deny
        /// The sender is told.
        case reject

        var help: String {
            switch self {
            case .allow: "the services that may be used"
            case .deny: "the services whose packets are dropped, and nobody is told"
            case .reject: "the services whose packets are dropped, and the sender is told"
            }
        }
    }

    package let verb: Verb
    package let services: [Located<ServiceText>]
    package let from: [Located<PlaceText>]
    package let to: [Located<PlaceText>]
    package let log: LogRate?
    package let name: Located<String>?

    package init?(_ options: inout OptionReader) {
        let written = Verb.allCases.filter { options.has($0.rawValue) }
        var services: OneOrMore<Located<ServiceText>>?
        for verb in Verb.allCases {
            let read = options.optional(verb.rawValue, as: OneOrMore<Located<ServiceText>>.self, help: verb.help)
            if verb == written.first { services = read }
        }
        if written.count != 1 {
            options.diagnostics.error("a rule has one of allow, deny and reject", at: options.position)
        }
        let from = options.require("from", as: OneOrMore<Located<PlaceText>>.self, help: "where the flow begins")
        let to = options.require("to", as: OneOrMore<Located<PlaceText>>.self, help: "where it goes")
        log = options.optional("log", help: "how often the kernel's log is told")
        name = options.optional("name", help: "what its counter is called")
        if let name, !KernelName.isName(name.value) {
            options.error("a rule's name is 1 to 63 letters, digits, '.', '_' and '-'", at: "name")
            return nil
        }
        guard let verb = written.first, written.count == 1, let services, let from, let to else { return nil }
        (self.verb, self.services, self.from, self.to) = (verb, services.values, from.values, to.values)
    }

    /// `allow ssh, icmp from admins to lan, self`
    package var text: String {
        let parts = [services.map(\.value.text), from.map(\.value.text), to.map(\.value.text)]
        let joined = parts.map { $0.joined(separator: ", ") }
        return "\(verb.rawValue) \(joined[0]) from \(joined[1]) to \(joined[2])"
    }
}
