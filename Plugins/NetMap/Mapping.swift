import Pipeline
import Wire

/// What a prefix at a peer is called on this side of the tunnel.
package struct Mapping: OptionRecord {
    /// As the peer's hosts have it.
    let theirs: Located<Prefix>
    /// As our hosts have it, and `allowed-ips`.
    let ours: Located<Prefix>

    package init?(_ options: inout OptionReader) {
        let theirs = options.require(
            "theirs", as: Located<WrittenPrefix>.self, help: "the prefix, as the peer's hosts have it")
        let ours = options.require(
            "ours", as: Located<WrittenPrefix>.self, help: "the prefix that the peer's hosts are called by here")
        guard let theirs, let ours else { return nil }
        self.theirs = Located(theirs.value.prefix, at: theirs.position)
        self.ours = Located(ours.value.prefix, at: ours.position)
        if let problem { options.error(problem, at: "ours"); return nil }
    }

    private var problem: String? {
        let (theirs, ours) = (theirs.value, ours.value)
        if theirs.family != ours.family { return "\(ours) is of another family than \(theirs)" }
        if theirs.length != ours.length {
            return "\(ours) has another length than \(theirs): each address stands for one"
        }
        return theirs == ours ? "\(ours) is what it is called there already: nothing would be translated" : nil
    }
}

/// A peer's mappings: one as it is, or several under `map`.
package struct Mappings: OptionRecord {
    /// The most that a peer may have: they are looked through for each packet.
    package static let bound = 16

    let mappings: [Mapping]

    /// One mapping, or several: what reading asks for depends on which it is.
    package static var shape: OptionShape {
        let several = OptionKey(
            name: "map", shape: [Mapping].shape, isRequired: true, help: "several mappings, instead of one")
        return .either([Mapping.shape, .record([several])])
    }

    package init?(_ options: inout OptionReader) {
        guard options.has("map") else {
            _ = options.optional("map", as: [Mapping].self)  // so that it is a key that is known
            guard let mapping = Mapping(&options) else { return nil }
            mappings = [mapping]
            return
        }
        let mappings = options.optional("map", default: [Mapping]())
        for key in ["theirs", "ours"] { options.refuse(key, "'\(key)' stands beside 'map': put it into the list") }
        if options.length(of: "map") == 0 { options.error("there are no mappings here", at: "map") }
        guard mappings.count <= Self.bound else {
            options.error("more than \(Self.bound) mappings", at: "map")
            return nil
        }
        self.mappings = mappings
        Self.findOverlaps(mappings, options.diagnostics) { $0.theirs }
        Self.findOverlaps(mappings, options.diagnostics) { $0.ours }
    }

    /// An address can be called one thing only, and can stand for one only.
    private static func findOverlaps(
        _ mappings: [Mapping], _ diagnostics: Diagnostics, _ side: (Mapping) -> Located<Prefix>
    ) {
        for (index, mapping) in mappings.enumerated() {
            let prefix = side(mapping)
            guard let other = mappings[..<index].lazy.map(side).first(where: { $0.value.overlaps(prefix.value) })
            else { continue }
            diagnostics.error(
                "\(prefix.value) overlaps \(other.value) on line \(other.position.line)", at: prefix.position)
        }
    }
}

extension Mappings: PeerOptionRecord {
    package func check(against peer: DeclaredPeer, _ diagnostics: Diagnostics) {
        for mapping in mappings {
            let ours = mapping.ours
            guard !peer.allowedIPs.contains(where: { $0.value.overlaps(ours.value) }) else { continue }
            diagnostics.error(
                "\(ours.value) is not in the allowed-ips of peer \(Quotation.quote(peer.name)), so nothing could pass",
                at: ours.position)
        }
        for prefix in peer.allowedIPs {
            guard let mapping = mappings.first(where: { $0.theirs.value.contains(prefix.value) }),
                !mappings.contains(where: { $0.ours.value.overlaps(prefix.value) })
            else { continue }
            diagnostics.warning(
                "nothing can pass by \(prefix.value): what comes from there is called \(mapping.ours.value) "
                    + "(line \(mapping.ours.position.line))", at: prefix.position)
        }
    }
}
