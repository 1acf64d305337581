import HostStages
import Pipeline
import Wire

/// Whether the file's expectations hold.
enum TestJudge {
    static func judge(_ test: Located<PolicyTest>, _ policy: Policy, _ diagnostics: Diagnostics) {
        let from = end(test.value.from, policy.context, diagnostics)
        let to = end(test.value.to, policy.context, diagnostics)
        guard let from, let to else { return }
        let flow = Flow(from: from, to: to, service: test.value.port?.value)
        let outcomes = policy.outcomes(of: flow)
        guard let contrary = outcomes.first(where: { ($0.verdict == .accept) != (test.value.expect == .allow) }) else {
            return
        }
        let becomes =
            switch contrary.verdict {
            case .accept: "allowed"
            case .drop: "dropped"
            case .reject: "rejected"
            }
        let verb = outcomes.count > 1 ? "this may be \(becomes)" : "this is \(becomes)"
        let hint = outcomes.count > 1 ? "; where it depends on the zone, write it as in lan:10.0.10.5" : ""
        diagnostics.error(
            "the test fails: expected \(test.value.expect.rawValue), but \(verb) \(text(contrary.cause))\(hint)",
            at: test.position)
    }

    private static func text(_ cause: Outcome.Cause) -> String {
        switch cause {
        case .rule(let rule): "by the rule on line \(rule.position.line) (\(rule.text))"
        case .opening(let opening): "by the forward on line \(opening.position.line)"
        case .listenPort: "as a tunnel listens on the port"
        case .neighbourDiscovery: "as IPv6 cannot do without"
        case .sameZone(let zone): "within zone \(Quotation.quote(zone))"
        case .fromHost: "as it comes from this host"
        case .standard: "by default"
        }
    }

    // MARK: Ends

    private static func end(
        _ end: Located<TestEnd>, _ context: FileContext, _ diagnostics: Diagnostics
    ) -> FlowEnd? {
        guard let text = end.value.place else { return end.value.address.map { somewhere($0, context) } }
        guard let place = context.resolve([Located(text, at: end.position)], diagnostics).first else { return nil }
        let result: FlowEnd?
        switch place {
        case .any, .prefix:
            diagnostics.error("a test is about one place", at: end.position)
            return nil
        case .host: result = .host(end.value.address)
        case .peer(let peer): result = oneOf([peer], end.value.address, context)
        case .other: result = inZone(Zone.other, end.value.address, context)
        case .zone(let name):
            let members = context.zone(name).map { $0.patterns.isEmpty ? context.peers(of: $0) : [] } ?? []
            result =
                members.isEmpty
                ? inZone(name, end.value.address, context) : oneOf(members, end.value.address, context)
        }
        if result == nil, let address = end.value.address {
            diagnostics.error("\(address) is no address of \(Quotation.quote(text.text))", at: end.position)
        }
        return result
    }

    /// An address alone: this host's, a peer's, or in any of the zones that have other interfaces than tunnels.
    private static func somewhere(_ address: IPAddress, _ context: FileContext) -> FlowEnd {
        guard !context.tunnels.contains(where: { $0.addresses.contains(address) }) else { return .host(address) }
        let owners = context.tunnels.compactMap { tunnel in context.peer(with: address, on: tunnel.name) }
        if let owner = owners.max(by: { $0.length < $1.length }), owner.length > 0 {
            return context.end(at: owner.name.tunnel, address)
        }
        var end = FlowEnd()
        end.address = address
        end.peers = Set(owners.map(\.name))
        end.zones = Set(context.zones.filter { !$0.members.interfaces.isEmpty }.map(\.name.value) + [Zone.other])
        end.zones.formUnion(owners.map { context.zone(ofInterface: $0.name.tunnel) })
        return end
    }

    private static func inZone(_ zone: String, _ address: IPAddress?, _ context: FileContext) -> FlowEnd {
        var end = FlowEnd()
        (end.zones, end.address) = ([zone], address)
        let tunnels = context.tunnels.map(\.name).filter { context.zone(ofInterface: $0) == zone }
        guard let address else {
            end.peers = Set(context.peers.map(\.name).filter { tunnels.contains($0.tunnel) })
            return end
        }
        end.peers = Set(tunnels.compactMap { context.peer(with: address, on: $0)?.name })
        // Behind an interface that is no tunnel may be anybody.
        end.mayBeStranger =
            end.peers.count != 1 || tunnels.count > 1 || context.zone(zone)?.members.interfaces.isEmpty != true
        return end
    }

    /// nil when the address is of none of them.
    private static func oneOf(_ peers: [PeerName], _ address: IPAddress?, _ context: FileContext) -> FlowEnd? {
        var end = FlowEnd()
        end.mayBeStranger = false
        end.address = address
        end.peers = Set(
            peers.filter { peer in
                address.map { context.peer(with: $0, on: peer.tunnel)?.name == peer } ?? true
            })
        guard let peer = end.peers.first else { return nil }
        end.zones = Set(end.peers.map { context.zone(ofInterface: $0.tunnel) })
        if address == nil, end.peers.count == 1 {
            let prefixes = context.provenPrefixes(of: peer)
            let only = prefixes.count == 1 ? prefixes[0] : nil
            end.address = only.flatMap { $0.length == $0.family.bitWidth ? $0.address : nil }
        }
        return end
    }
}
