import HostStages
import Pipeline
import Wire

/// What becomes of a flow, and why.
package struct Outcome: Sendable {
    package enum Verdict: Sendable { case accept, drop, reject }

    package enum Cause: Sendable {
        case rule(Policy.Rule)
        case opening(Opening)
        case listenPort
        case neighbourDiscovery
        case sameZone(String)
        case fromHost
        case standard
    }

    package let verdict: Verdict
    package let cause: Cause
}

// The rules as a pure function. The kernel does the same with what FirewallRuleset makes of them.
extension Policy {
    /// What may become of the flow: one outcome when enough is known of it.
    package func outcomes(of flow: Flow) -> [Outcome] {
        if let family = flow.family { return outcomes(of: flow, family) }
        // Flows are forwarded by family; nothing else asks for it.
        guard flow.to.isHost, !openings.isEmpty else { return outcomes(of: flow, .v4) }
        return outcomes(of: flow, .v4) + outcomes(of: flow, .v6)
    }

    private func outcomes(of flow: Flow, _ family: IPAddress.Family) -> [Outcome] {
        var possible: [Outcome] = []
        for (certainty, outcome) in steps(flow, family) where certainty > .no {
            possible.append(outcome)
            if certainty == .yes { break }
        }
        return possible
    }

    /// In the order of the kernel's chains; the last one is certain.
    private func steps(_ flow: Flow, _ family: IPAddress.Family) -> [(Certainty, Outcome)] {
        func accept(_ cause: Outcome.Cause) -> Outcome { Outcome(verdict: .accept, cause: cause) }
        guard !(flow.from.isHost && flow.to.isHost) else { return [(.yes, accept(.fromHost))] }
        var steps: [(Certainty, Outcome)] = []
        if flow.to.isHost {
            // Before any chain that decides: such a flow is not for this host.
            for opening in openings {
                steps.append((isFor(opening, flow, family), accept(.opening(opening))))
                guard opening.isReflected, isFor(opening, flow, family, fromAnywhere: true) > .no else { continue }
                // Which of its addresses is asked decides, and then what is said of the other host.
                for outcome in outcomes(of: flow.redirected(by: opening)) { steps.append((.maybe, outcome)) }
            }
            if flow.isNeighbourDiscovery { steps.append((.yes, accept(.neighbourDiscovery))) }
            for port in listenPorts {
                steps.append((flow.asks(for: ServicePorts(ServicePorts.udp, [port...port])), accept(.listenPort)))
            }
        }
        for rule in rules { steps.append((isAbout(flow, rule), Outcome(verdict: rule.verdict, cause: .rule(rule)))) }
        if flow.from.isHost {
            steps.append((.yes, accept(.fromHost)))
        } else if !flow.to.isHost {
            for name in context.zones.map(\.name.value) + [Zone.other] {
                let place = name == Zone.other ? Place.other : .zone(name)
                let isWithin = min(flow.from.isAt(place, context), flow.to.isAt(place, context))
                steps.append((isWithin, accept(.sameZone(name))))
            }
        }
        let verdict: Outcome.Verdict =
            switch standard {
            case .drop: .drop
            case .reject: .reject
            case .accept: .accept
            }
        steps.append((.yes, Outcome(verdict: verdict, cause: .standard)))
        return steps
    }

    private func isAbout(_ flow: Flow, _ rule: Rule) -> Certainty {
        let ends = min(flow.from.isAt(rule.from, context), flow.to.isAt(rule.to, context))
        guard ends > .no, let services = rule.services else { return ends }
        return min(ends, services.map { flow.asks(for: $0) }.max() ?? .no)
    }

    private func isFor(
        _ opening: Opening, _ flow: Flow, _ family: IPAddress.Family, fromAnywhere: Bool = false
    ) -> Certainty {
        guard !flow.from.isHost, family == opening.target.family else { return .no }
        let address: Certainty =
            switch (opening.address, flow.to.address) {
            case (let wanted?, let asked?): wanted == asked ? .yes : .no
            case (_?, nil): .maybe
            case (nil, _): .yes
            }
        let from = fromAnywhere ? Certainty.yes : flow.from.isAt(opening.from, context)
        return min(from, address, flow.asks(for: opening.service))
    }
}

extension Policy.Rule {
    package var verdict: Outcome.Verdict {
        switch verb {
        case .allow: .accept
        case .deny: .drop
        case .reject: .reject
        }
    }
}

extension Flow {
    /// nil where neither address is known.
    fileprivate var family: IPAddress.Family? { to.address?.family ?? from.address?.family }

    /// The flow as it goes on.
    fileprivate func redirected(by opening: Opening) -> Flow {
        var end = FlowEnd()
        end.address = opening.target
        return Flow(from: from, to: end, service: ServicePorts(opening.service.transport, opening.targetPorts))
    }

    fileprivate func asks(for wanted: ServicePorts) -> Certainty {
        guard let service else { return .maybe }
        if wanted.covers(service) { return .yes }
        return service.covers(wanted) ? .maybe : .no
    }
}
