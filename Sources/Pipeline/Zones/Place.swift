import Wire

/// Where a packet comes from or goes to, as rules say it.
public enum Place: Hashable, Sendable {
    case any
    /// This host.
    case host
    /// The interfaces that are in no zone.
    case other
    case zone(String)
    case peer(PeerName)
    case prefix(Prefix)
}

/// A place as it is written, before it is known which zones and peers there are.
public struct PlaceText: ScalarOption, Hashable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public static var expected: String { "a zone, a peer, a prefix, self, other or any" }

    public init(_ scalar: Value.Scalar) throws(OptionError) {
        guard !scalar.text.isEmpty else { throw Self.unexpected(scalar) }
        if scalar.text.contains("/"), Prefix(scalar.text) == nil {
            let hint = Prefix.lengthHint(scalar.text)
            if !hint.isEmpty { throw Self.unexpected(scalar, hint) }
        }
        text = scalar.text
    }

    public var optionText: String { text }
}

extension FileContext {
    /// What the text means; nil for a name that is nobody's, or more than one peer's.
    public func place(_ text: PlaceText) -> Place? {
        switch text.text {
        case Zone.any: return .any
        case Zone.host: return .host
        case Zone.other: return .other
        default: break
        }
        if let prefix = Prefix(text.text) { return .prefix(prefix) }
        if zone(text.text) != nil { return .zone(text.text) }
        let peers = peers(called: text.text)
        return peers.count == 1 ? .peer(peers[0]) : nil
    }

    /// The places that the texts mean; each that means nothing is an error at its place.
    public func resolve(_ texts: [Located<PlaceText>], _ diagnostics: Diagnostics) -> [Place] {
        texts.compactMap { text in
            if let place = place(text.value) { return place }
            diagnostics.error(problem(with: text.value), at: text.position)
            return nil
        }
    }

    private func problem(with text: PlaceText) -> String {
        let meant = peers(called: text.text)
        guard meant.isEmpty else {
            return
                "which peer \(Quotation.quote(text.text))? There are \(meant.map(\.description).joined(separator: ", "))"
        }
        let names = zones.map(\.name.value) + Zone.reserved + peers.map(\.name.name) + peers.map(\.name.description)
        let hint = Suggestion.hint(for: text.text, among: names)
        let zones = zones.map(\.name.value)
        let known = zones.isEmpty ? ": the file has no 'zones'" : ": the zones are \(zones.joined(separator: ", "))"
        return "no zone or peer \(Quotation.quote(text.text))\(hint.isEmpty ? known : hint)"
    }
}
