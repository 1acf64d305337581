import HostStages
import Pipeline
import Wire

/// Finds rules that no packet comes to, because earlier ones take all that they are about.
enum Shadowing {
    /// Rules are compared in pairs of their parts; above so many comparisons a file is not looked through.
    private static let maximumComparisons = 20_000_000

    static func report(_ policy: Policy, _ diagnostics: Diagnostics) {
        guard policy.rules.count * policy.rules.count / 2 <= maximumComparisons else {
            diagnostics.note("too many rules to tell whether one can never match", at: nil)
            return
        }
        for (index, rule) in policy.rules.enumerated() {
            guard let earlier = cover(of: rule, among: policy.rules[..<index], policy.context) else { continue }
            diagnostics.warning(
                "this rule can never match: the one on line \(earlier.position.line) comes first, and takes all of it",
                at: rule.position)
        }
    }

    /// The last of the rules that it takes to cover each part of `rule`; nil where some part is not covered.
    private static func cover(
        of rule: Policy.Rule, among earlier: ArraySlice<Policy.Rule>, _ context: FileContext
    ) -> Policy.Rule? {
        let candidates = earlier.filter { other in
            other.from.contains { place in rule.from.contains { covers(place, $0, context) } }
        }
        guard !candidates.isEmpty else { return nil }
        var last: Policy.Rule?
        let services: [ServicePorts?] = rule.services.map { $0.map(Optional.some) } ?? [nil]
        for from in rule.from {
            for to in rule.to {
                for service in services {
                    let first = candidates.first { other in
                        other.from.contains { covers($0, from, context) }
                            && other.to.contains { covers($0, to, context) }
                            && covers(other.services, service)
                    }
                    guard let first else { return nil }
                    if last.map({ $0.position < first.position }) ?? true { last = first }
                }
            }
        }
        return last
    }

    private static func covers(_ services: [ServicePorts]?, _ service: ServicePorts?) -> Bool {
        guard let services else { return true }
        guard let service else { return false }
        return services.contains { $0.covers(service) }
    }

    /// Whether every packet of `b` is one of `a`.
    private static func covers(_ a: Place, _ b: Place, _ context: FileContext) -> Bool {
        if a == b || a == .any { return true }
        switch (a, b) {
        case (.prefix(let outer), .prefix(let inner)): return outer.contains(inner)
        case (.zone(let name), .peer(let peer)):
            guard let zone = context.zone(name) else { return false }
            return zone.holds(interface: peer.tunnel) || context.peers(of: zone).contains(peer)
        case (.zone(let outer), .zone(let inner)):
            guard let outer = context.zone(outer), let inner = context.zone(inner), inner.patterns.isEmpty else {
                return false
            }
            let members = context.peers(of: outer)
            return context.peers(of: inner).allSatisfy { outer.holds(interface: $0.tunnel) || members.contains($0) }
        case (.other, .peer(let peer)): return !context.zones.contains { $0.holds(interface: peer.tunnel) }
        default: return false
        }
    }
}
