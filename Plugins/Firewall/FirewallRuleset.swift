import HostStages
import Nftables
import Pipeline
import Wire

/// The rules as the kernel gets them.
///
/// Three chains decide: `input` to this host, `output` from it, `forward` through it. A rule stands in each chain in
/// which it may match, once for each of its alternatives, and counts in one counter wherever it stands.
struct FirewallRuleset {
    private let options: FirewallOptions
    private let policy: Policy
    private var places: PlaceMatches
    /// Chains that rules go to.
    private var verdicts: [Chain] = []
    /// The counters of rules that are in the listing already, and of those that have a chain: a rule is met once for each
    /// chain of the kernel's that it stands in.
    private var listed: Set<String> = []
    private var logged: Set<String> = []
    private(set) var intent = HostIntent()

    /// RFC 4861 and RFC 3810: what IPv6 cannot do without on a link.
    static let neighbourDiscovery: [UInt8] = [130, 131, 132, 133, 134, 135, 136, 137, 143]
    private static let rejecting = "refused"

    init(_ options: FirewallOptions, _ policy: Policy) {
        self.options = options
        self.policy = policy
        places = PlaceMatches(policy.context)
        build()
    }

    private mutating func build() {
        var chains = [reversePath, clamping].compactMap(\.self)
        list("flows that are established, or related to one, pass", "established", at: nil)
        list("packets that belong to no flow are dropped", "invalid", at: nil)
        for opening in policy.openings {
            list(
                "what nat has forwarded passes: \(opening.service) to \(opening.target)", opening.counter,
                at: opening.position)
        }
        chains += [input, forward, output].compactMap(\.self)
        list("default: \(options.standard.rawValue), to this host", "default-input", at: nil)
        list("default: \(options.standard.rawValue), between zones", "default-forward", at: nil)
        intent.chains = chains + verdicts + rejectionChain
        intent.sets = places.sets
    }

    private mutating func list(_ text: String, _ counter: String, at position: SourcePosition?) {
        intent.listing.append(
            ListedRule(stage: "firewall", line: position.map(policy.context.line) ?? "", text: text, counter: counter))
    }

    /// nil when no tunnel has one that is known.
    private var listenPorts: PortSet? {
        policy.listenPorts.isEmpty ? nil : PortSet(policy.listenPorts.map { $0...$0 })
    }

    // MARK: Chains

    private var input: Chain? {
        mutating get {
            var rules = [Rule([.input(.loopback)], [.accept])] + Self.tracked
            rules.append(Rule([.icmpV6Types(Self.neighbourDiscovery)], counter: "neighbour-discovery", [.accept]))
            list("IPv6 neighbour discovery and multicast listening pass", "neighbour-discovery", at: nil)
            if let own = listenPorts {
                rules.append(Rule([.destinationPorts(.udp, own)], counter: "listen-ports", [.accept]))
                let text = policy.listenPorts.map(String.init).joined(separator: ", ")
                list("listen-ports of the tunnels are open: udp \(text)", "listen-ports", at: nil)
            }
            // Who gives the service may be this host, under another of its addresses.
            for opening in policy.openings { rules += kernelRules(opening) }
            for rule in policy.rules {
                let to = Self.addresses(of: rule.to, orAll: .host)
                let from = rule.from.filter { $0 != .host }
                guard let to, !from.isEmpty else { continue }
                rules += kernelRules(rule, from, to)
            }
            return Chain("input", base(.input), rules: rules + ending("default-input"))
        }
    }

    private var forward: Chain? {
        mutating get {
            var rules = Self.tracked
            for opening in policy.openings { rules += kernelRules(opening) }
            for rule in policy.rules {
                let from = rule.from.filter { $0 != .host }
                let to = rule.to.filter { $0 != .host }
                guard !from.isEmpty, !to.isEmpty else { continue }
                rules += kernelRules(rule, from, to)
            }
            rules += withinZones
            return Chain("forward", base(.forward), rules: rules + ending("default-forward"))
        }
    }

    /// nil when no rule is about what this host sends.
    private var output: Chain? {
        mutating get {
            var rules: [Rule] = []
            for rule in policy.rules {
                let from = Self.addresses(of: rule.from, orAll: .host)
                let to = rule.to.filter { $0 != .host }
                guard let from, !to.isEmpty else { continue }
                rules += kernelRules(rule, from, to)
            }
            guard !rules.isEmpty else { return nil }
            var free = [
                Rule([.output(.loopback)], [.accept]), Rule([.state([.established, .related])], [.accept]),
                Rule([.icmpV6Types(Self.neighbourDiscovery)], [.accept]),
            ]
            // A tunnel begins sessions too, whatever is denied.
            if let own = listenPorts { free.append(Rule([.sourcePorts(.udp, own)], [.accept])) }
            return Chain("output", Chain.Base(hook: .output, priority: .filter), rules: free + rules)
        }
    }

    /// Of the places at an end that is this host, those that say which of its addresses; `[.any]` where it is all of them,
    /// nil where it is none.
    private static func addresses(of places: [Place], orAll host: Place) -> [Place]? {
        if places.contains(.any) || places.contains(host) { return [.any] }
        let prefixes = places.filter { if case .prefix = $0 { true } else { false } }
        return prefixes.isEmpty ? nil : prefixes
    }

    /// What belongs to a flow that has begun needs no rule.
    private static let tracked = [
        Rule([.state([.established, .related])], counter: "established", [.accept]),
        Rule([.state(.invalid)], counter: "invalid", [.drop]),
    ]

    private func base(_ hook: Chain.Hook) -> Chain.Base {
        Chain.Base(hook: hook, priority: .filter, policy: options.standard == .accept ? .accept : .drop)
    }

    private func ending(_ counter: String) -> [Rule] {
        switch options.standard {
        case .accept: [Rule([], counter: counter, [.accept])]
        case .drop: [Rule([], counter: counter, [.drop])]
        case .reject: [Rule([], counter: counter, [.goto(Self.rejecting)])]
        }
    }

    private var withinZones: [Rule] {
        mutating get {
            var rules: [Rule] = []
            let zones = policy.context.zones
            list("within a zone all is accepted", "same-zone", at: nil)
            for zone in zones.map({ Place.zone($0.name.value) }) + [.other] {
                for from in places.alternatives([zone], .source) {
                    for to in places.alternatives([zone], .destination) where !(from + to).contradict {
                        rules.append(Rule(from + to, counter: "same-zone", [.accept]))
                    }
                }
            }
            return rules
        }
    }

    // MARK: One rule

    private mutating func kernelRules(_ rule: Policy.Rule, _ from: [Place], _ to: [Place]) -> [Rule] {
        let from = places.alternatives(from, .source, refusing: rule.verb != .allow)
        let to = places.alternatives(to, .destination, refusing: rule.verb != .allow)
        let services = rule.services.map(ServicePorts.alternatives) ?? [[]]
        let comment = policy.context.line(rule.position)
        if listed.insert(rule.counter).inserted { list(rule.text, rule.counter, at: rule.position) }
        let statements = verdict(of: rule, comment)
        var rules: [Rule] = []
        for from in from {
            for to in to {
                for service in services where !(from + to).contradict {
                    rules.append(Rule(from + to + service, statements, comment: comment))
                }
            }
        }
        return rules
    }

    /// A log has one limit however many rules of the kernel the rule is: so it has a chain of its own.
    private mutating func verdict(of rule: Policy.Rule, _ comment: String) -> [Statement] {
        let end: Statement =
            switch rule.verb {
            case .allow: .accept
            case .deny: .drop
            case .reject: .goto(Self.rejecting)
            }
        guard let rate = rule.log else { return [.counter(rule.counter), end] }
        if logged.insert(rule.counter).inserted {
            let log = Statement.log(Log(prefix: "\(rule.title): ", limit: Rate(rate)))
            verdicts.append(
                Chain(rule.counter, rules: [Rule([], counter: rule.counter, [log, end], comment: comment)]))
        }
        return [.goto(rule.counter)]
    }

    private mutating func kernelRules(_ opening: Opening) -> [Rule] {
        let comment = policy.context.line(opening.position)
        let target = Prefix(host: opening.target)
        let ports = PortSet(opening.targetPorts)
        let service = [
            Match.destination(target),
            .destinationPorts(TransportProtocol(rawValue: opening.service.transport), ports),
            .status(.destinationNAT),
        ]
        return places.alternatives(opening.from, .source).filter { !($0 + service).contradict }
            .map { Rule($0 + service, counter: opening.counter, [.accept], comment: comment) }
    }

    private var rejectionChain: [Chain] {
        let isUsed = options.standard == .reject || policy.rules.contains { $0.verb == .reject }
        guard isUsed else { return [] }
        return [
            Chain(
                Self.rejecting,
                rules: [
                    Rule([.transport(.tcp)], [.reject(.tcpReset)]),
                    Rule([], [.reject(.unreachable(.administrativelyProhibited))]),
                ])
        ]
    }

    // MARK: Beside the rules

    /// After connection tracking, which knows what is related, and before any address is translated.
    ///
    /// The tunnels' own datagrams are let through: they prove themselves, and with a default route into a tunnel no route
    /// leads to where they come from.
    private var reversePath: Chain? {
        mutating get {
            let kind: Match.ReversePath
            switch options.reversePath {
            case .off: return nil
            case .strict: kind = .strict
            case .loose: kind = .loose
            }
            list("reverse-path: \(options.reversePath.rawValue)", "reverse-path", at: nil)
            // What is related may come from anywhere: a router on the way says that a datagram was too large for it.
            var rules = [Rule([.input(.loopback)], [.return]), Rule([.state([.established, .related])], [.return])]
            if let own = listenPorts {
                rules.append(Rule([.destinationPorts(.udp, own), .localDestination], [.return]))
            }
            rules.append(Rule([.reversePathMissing(kind)], counter: "reverse-path", [.drop]))
            return Chain(
                "reverse-path", Chain.Base(hook: .prerouting, priority: .mangle), rules: rules)
        }
    }

    private var clamping: Chain? {
        guard options.clampsMSS else { return nil }
        let syn = Match.tcpFlags([.syn], mask: [.syn, .rst])
        return Chain("mss", Chain.Base(hook: .forward, priority: .mangle), rules: [Rule([syn], [.clampMSS])])
    }
}

extension Rate {
    fileprivate init(_ rate: LogRate) {
        let unit: Rate.Unit =
            switch rate.unit {
            case .second: .second
            case .minute: .minute
            case .hour: .hour
            case .day: .day
            }
        self.init(rate.count, per: unit)
    }
}
