import HostStages
import Nftables
import Pipeline
import Wire

/// The translations as the kernel gets them. Chains of kind `nat` see the first packet of a flow; the kernel does the same
/// with all that follow it, and the opposite with the answers.
struct NATRuleset {
    private let context: FileContext
    private var places: PlaceMatches
    private(set) var intent = HostIntent()
    private var incoming: [Rule] = []
    private var outgoing: [Rule] = []
    private var reflected: [Rule] = []
    private var leaking: [Rule] = []
    private let mapsAddresses: Bool

    private static let reflection = "hairpin"
    /// A chain, and the counter of all its rules.
    private static let leaks = "nat-leaks"

    init(_ options: TranslationOptions, _ context: FileContext) {
        self.context = context
        mapsAddresses = !options.oneToOne.isEmpty
        places = PlaceMatches(context)
        for forward in options.forwards { add(forward) }
        for mapping in options.oneToOne { add(mapping) }
        for masquerade in options.masquerade { add(masquerade) }
        if !leaking.isEmpty {
            let text = "packets that belong to no flow are dropped where they would be masqueraded"
            intent.listing.append(ListedRule(stage: "nat", line: "", text: text, counter: Self.leaks))
        }
        intent.sets = places.sets
        intent.chains = chains
    }

    private var chains: [Chain] {
        var chains: [Chain] = []
        if !incoming.isEmpty {
            chains.append(
                Chain("nat-in", Chain.Base(.nat, hook: .prerouting, priority: .destinationNAT), rules: own + incoming))
        }
        if !reflected.isEmpty { chains.append(Chain(Self.reflection, rules: reflected)) }
        // Without a rule too: with the last chain of its kind the kernel stops translating the flows that have begun
        // (nf_nat_unregister_fn), and sends them out with the addresses inside.
        let first = reflected.isEmpty ? [] : [Rule([.status(.destinationNAT)], [.jump(Self.reflection)])]
        chains.append(
            Chain("nat-out", Chain.Base(.nat, hook: .postrouting, priority: .sourceNAT), rules: first + outgoing))
        if !leaking.isEmpty {
            chains.append(Chain(Self.leaks, Chain.Base(hook: .forward, priority: .filter - 1), rules: leaking))
        }
        return chains
    }

    /// The tunnels' own datagrams stay here, also where an address of this host stands for another host's.
    private var own: [Rule] {
        let ports = context.openPorts
        guard mapsAddresses, !ports.isEmpty else { return [] }
        return [Rule([.destinationPorts(.udp, PortSet(ports.map { $0...$0 })), .localDestination], [.return])]
    }

    private mutating func list(_ text: String, _ counter: String, at position: SourcePosition) {
        intent.listing.append(ListedRule(stage: "nat", line: context.line(position), text: text, counter: counter))
    }

    // MARK: Forwards

    private mutating func add(_ located: Located<Forward>) {
        let (forward, comment) = (located.value, context.line(located.position))
        list(forward.text, forward.counter, at: located.position)
        let (service, target) = (forward.service.value, forward.target.value)
        let transport = TransportProtocol(rawValue: service.transport)
        let asked = [
            Match.family(target.address.family),
            forward.address.map { .destination(Prefix(host: $0.value)) } ?? .localDestination,
            .destinationPorts(transport, PortSet(service.ports)),
        ]
        let from = places.alternatives(context.resolve(forward.from, Diagnostics()), .source)
        let change = Statement.destinationNAT(NATTarget(target.address, port: target.port))
        for from in from where !(from + asked).contradict {
            incoming.append(Rule(from + asked, counter: forward.counter, [change], comment: comment))
        }
        guard forward.hairpin else { return }
        // The address that this host has towards who asks is this host's own business.
        let elsewhere = forward.address == nil ? [!Match.arrivalDestination] : []
        incoming.append(Rule(asked + elsewhere, counter: forward.counter, [change], comment: comment))
        // Who asks from inside gets the answer from this host too, or it would not know it for one.
        let sent = [
            Match.destination(Prefix(host: target.address)),
            .destinationPorts(transport, PortSet(forward.targetPorts)),
        ]
        for from in from where !(from + sent).contradict {
            reflected.append(Rule(from + sent, [.return], comment: comment))
        }
        reflected.append(Rule(sent, [.masquerade], comment: comment))
    }

    // MARK: One to one

    private mutating func add(_ located: Located<OneToOne>) {
        let (mapping, comment) = (located.value, context.line(located.position))
        let (outside, inside) = (mapping.outside.value, mapping.inside.value)
        let counter = KernelName.of("one-to-one", outside.description)
        list(mapping.text, counter, at: located.position)
        let zone = mapping.zone.map { context.resolve([$0], Diagnostics()) } ?? [.any]
        for from in places.alternatives(zone, .source) {
            let asked = from + [.destination(outside.prefix)]
            let change = Statement.destinationNAT(Self.target(inside))
            if !asked.contradict { incoming.append(Rule(asked, counter: counter, [change], comment: comment)) }
        }
        for to in places.alternatives(zone, .destination) {
            let sent = to + [.source(inside.prefix)]
            let change = Statement.sourceNAT(Self.target(outside))
            if !sent.contradict { outgoing.append(Rule(sent, counter: counter, [change], comment: comment)) }
        }
    }

    private static func target(_ prefix: NATPrefix) -> NATTarget {
        prefix.isHost ? NATTarget(prefix.prefix.address) : NATTarget(.prefix(prefix.prefix))
    }

    // MARK: Masquerading

    private mutating func add(_ located: Located<Masquerade>) {
        let (rule, comment) = (located.value, context.line(located.position))
        let counter = KernelName.of(rule.text)
        list(rule.text, counter, at: located.position)
        let from = rule.from.map { context.resolve($0, Diagnostics()) } ?? [.any]
        let to = context.resolve(rule.to, Diagnostics())
        for from in places.alternatives(from, .source) {
            for to in places.alternatives(to, .destination) where !(from + to).contradict {
                outgoing.append(Rule(from + to, counter: counter, [.masquerade], comment: comment))
                // What belongs to no flow is not translated, and would show addresses from inside.
                leaking.append(Rule(from + to + [.state(.invalid)], counter: Self.leaks, [.drop], comment: comment))
            }
        }
    }
}
