import Pipeline
import Wire

/// The first packet of a flow, as far as it is known.
package struct Flow: Sendable {
    package var from: FlowEnd
    package var to: FlowEnd
    /// nil: whatever it is. ICMPv6 is `icmp`.
    package var service: ServicePorts?
    /// IPv6 finds its neighbours, routers and multicast listeners by these, which connection tracking leaves alone.
    package var isNeighbourDiscovery = false

    package init(from: FlowEnd, to: FlowEnd, service: ServicePorts?) {
        (self.from, self.to, self.service) = (from, to, service)
    }
}

/// Where a flow begins or ends, as far as it is known.
package struct FlowEnd: Sendable, Equatable {
    package var isHost = false
    /// The zones of interfaces that it may be in: one when it is known. Empty for this host.
    package var zones: Set<String> = []
    /// The peers that it may be.
    package var peers: Set<PeerName> = []
    /// Whether it may be somebody else than one of `peers`.
    package var mayBeStranger = true
    package var address: IPAddress?

    package static func host(_ address: IPAddress? = nil) -> FlowEnd {
        var end = FlowEnd()
        (end.isHost, end.address) = (true, address)
        return end
    }
}

/// Whether a flow of which not all is known is one that a rule is about.
package enum Certainty: Int, Comparable, Sendable {
    case no, maybe, yes

    package static func < (a: Certainty, b: Certainty) -> Bool { a.rawValue < b.rawValue }
}

extension FlowEnd {
    func isAt(_ place: Place, _ context: FileContext) -> Certainty {
        switch place {
        case .any: .yes
        case .host: isHost ? .yes : .no
        case .other: isIn(zoneOfInterfaces: Zone.other)
        case .peer(let peer): isOne(of: [peer])
        case .prefix(let prefix): isIn(prefix, context)
        case .zone(let name):
            max(isIn(zoneOfInterfaces: name), isOne(of: Set(context.zone(name).map { context.peers(of: $0) } ?? [])))
        }
    }

    func isAt(_ places: [Place], _ context: FileContext) -> Certainty {
        places.map { isAt($0, context) }.max() ?? .no
    }

    private func isIn(_ prefix: Prefix, _ context: FileContext) -> Certainty {
        if let address { return prefix.contains(address) ? .yes : .no }
        guard !mayBeStranger else { return .maybe }
        let own = context.peers.filter { peers.contains($0.name) }.flatMap(\.prefixes)
        if own.allSatisfy({ prefix.contains($0) }) { return .yes }
        return own.contains { prefix.contains($0) || $0.contains(prefix) } ? .maybe : .no
    }

    private func isIn(zoneOfInterfaces name: String) -> Certainty {
        guard zones.contains(name) else { return .no }
        return zones.count == 1 ? .yes : .maybe
    }

    private func isOne(of members: Set<PeerName>) -> Certainty {
        guard !peers.isDisjoint(with: members) else { return .no }
        return peers.isSubset(of: members) && !mayBeStranger ? .yes : .maybe
    }
}

extension FileContext {
    /// The zone of an interface that is one's name.
    package func zone(ofInterface name: String) -> String {
        zones.first { $0.holds(interface: name) }?.name.value ?? Zone.other
    }

    /// Who of the tunnel has the address: the peer with the longest prefix.
    package func peer(with address: IPAddress, on tunnel: String) -> (name: PeerName, length: Int)? {
        var best: (name: PeerName, length: Int)?
        for peer in peers where peer.name.tunnel == tunnel {
            for prefix in peer.prefixes where prefix.contains(address) && prefix.length > best?.length ?? -1 {
                best = (peer.name, prefix.length)
            }
        }
        return best
    }

    /// The end of a flow at an interface.
    package func end(at interface: String, _ address: IPAddress) -> FlowEnd {
        var end = FlowEnd()
        end.zones = [zone(ofInterface: interface)]
        end.address = address
        if let peer = peer(with: address, on: interface) { (end.peers, end.mayBeStranger) = ([peer.name], false) }
        return end
    }
}
