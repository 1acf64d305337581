import HostStages
import Pipeline

/// What stands under `nat` in the pipeline.
package struct TranslationOptions: HostOptions {
    package let masquerade: [Located<Masquerade>]
    package let forwards: [Located<Forward>]
    package let oneToOne: [Located<OneToOne>]

    package init?(_ options: inout OptionReader) {
        masquerade = options.optional(
            "masquerade", default: [], help: "what leaves with the address of the interface that it leaves by")
        forwards = options.optional("forwards", default: [], help: "services of this host that others behind it give")
        oneToOne = options.optional(
            "one-to-one", default: [], help: "addresses outside that stand for addresses inside")
    }

    package func resolve(in context: FileContext, _ diagnostics: Diagnostics) {
        NATChecks(self, context, diagnostics).run()
    }

    package func intent(in context: FileContext) -> HostIntent { NATRuleset(self, context).intent }

    package func openings(in context: FileContext) -> [Opening] {
        forwards.map { forward in
            Opening(
                from: context.resolve(forward.value.from, Diagnostics()), isReflected: forward.value.hairpin,
                address: forward.value.address?.value, service: forward.value.service.value,
                target: forward.value.target.value.address,
                targetPorts: forward.value.targetPorts, counter: forward.value.filterCounter,
                position: forward.position)
        }
    }
}

/// The source of what leaves by `to` becomes the address of the interface that it leaves by.
package struct Masquerade: OptionRecord {
    package let to: [Located<PlaceText>]
    /// nil: whatever it comes from.
    package let from: [Located<PlaceText>]?

    package init?(_ options: inout OptionReader) {
        let to = options.require("to", as: OneOrMore<Located<PlaceText>>.self, help: "where it leaves to")
        from =
            options.optional(
                "from", as: OneOrMore<Located<PlaceText>>.self,
                help: "where it comes from; anywhere where this is left out")?.values
        guard let to else { return nil }
        self.to = to.values
    }

    package var text: String {
        let to = to.map(\.value.text).joined(separator: ", ")
        return "masquerade to \(to)" + (from.map { " from " + $0.map(\.value.text).joined(separator: ", ") } ?? "")
    }
}

/// Addresses outside that stand for addresses inside, each for one.
package struct OneToOne: OptionRecord {
    package let outside: Located<NATPrefix>
    package let inside: Located<NATPrefix>
    /// Where outside is; nil: everywhere.
    package let zone: Located<PlaceText>?

    package init?(_ options: inout OptionReader) {
        let outside = options.require("outside", as: Located<NATPrefix>.self, help: "an address or a prefix outside")
        let inside = options.require("inside", as: Located<NATPrefix>.self, help: "what it stands for inside")
        zone = options.optional(
            "zone", as: Located<PlaceText>.self,
            help: "where outside is; everywhere, peers of tunnels included, where this is left out")
        guard let outside, let inside else { return nil }
        (self.outside, self.inside) = (outside, inside)
    }

    package var text: String { "one-to-one \(outside.value) for \(inside.value)" }
}
