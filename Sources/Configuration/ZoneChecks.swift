import Pipeline
import Wire

/// Whether zones go together with each other, and with the tunnels and peers of the file.
struct ZoneChecks {
    private let context: FileContext
    private let diagnostics: Diagnostics

    init(_ context: FileContext, _ diagnostics: Diagnostics) {
        self.context = context
        self.diagnostics = diagnostics
    }

    func run() {
        for zone in context.zones {
            checkName(zone)
            checkTunnels(zone)
            checkPeers(zone)
        }
        checkInterfaces()
    }

    private func checkName(_ zone: Zone) {
        guard let peer = context.peers(called: zone.name.value).first else { return }
        diagnostics.error(
            "zone \(quote(zone.name.value)) has the name of peer \(quote(peer.description))", at: zone.name.position)
    }

    private func checkTunnels(_ zone: Zone) {
        let names = context.tunnels.map(\.name)
        for tunnel in zone.members.tunnels where !names.contains(tunnel.value) {
            let hint = Suggestion.hint(for: tunnel.value, among: names)
            diagnostics.error(
                "no tunnel \(quote(tunnel.value)) in this file"
                    + (hint.isEmpty ? ", whose tunnels stand under 'interfaces'" : hint),
                at: tunnel.position)
        }
    }

    private func checkPeers(_ zone: Zone) {
        var seen: [PeerName: SourcePosition] = [:]
        for peer in zone.members.peers {
            let meant = context.peers(called: peer.value)
            guard let name = meant.first else {
                let names = context.peers.flatMap { [$0.name.name, $0.name.description] }
                diagnostics.error(
                    "no peer \(quote(peer.value))\(Suggestion.hint(for: peer.value, among: names))", at: peer.position)
                continue
            }
            if meant.count > 1 {
                let names = meant.map(\.description).joined(separator: ", ")
                diagnostics.error("which peer \(quote(peer.value))? There are \(names)", at: peer.position)
            } else if let first = seen[name] {
                diagnostics.error(
                    "peer \(quote(peer.value)) is listed on line \(first.line) already", at: peer.position)
            } else {
                seen[name] = peer.position
            }
        }
    }

    /// An interface is in one zone at most, so no two patterns may stand for one.
    private func checkInterfaces() {
        var taken: [(pattern: InterfacePattern, zone: Zone, line: Int)] = []
        for zone in context.zones {
            for pattern in zone.patterns {
                let other = taken.first { $0.pattern.contains(pattern.value) || pattern.value.contains($0.pattern) }
                guard let other else {
                    taken.append((pattern.value, zone, pattern.position.line))
                    continue
                }
                let what =
                    other.pattern == pattern.value
                    ? "\(quote(pattern.value.description)) is"
                    : "\(quote(pattern.value.description)) overlaps \(quote(other.pattern.description)), which is"
                diagnostics.error(
                    "\(what) in zone \(quote(other.zone.name.value)) on line \(other.line) already",
                    at: pattern.position)
            }
        }
    }

    private func quote(_ text: String) -> String { Quotation.quote(text) }
}
