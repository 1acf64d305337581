import Nftables
import Pipeline
import Wire

/// Turns places into what the kernel is asked, and notes the sets that this takes.
package struct PlaceMatches {
    private let context: FileContext
    /// In the order in which they were first asked for.
    package private(set) var sets: [SetDefinition] = []
    /// Where each of them stands, by name.
    private var indices: [String: Int] = [:]

    package init(_ context: FileContext) { self.context = context }

    /// Which end of a packet's way a place is, and what tells of it.
    package enum Side {
        /// Where it comes in.
        case source
        /// Where it goes out.
        case destination

        fileprivate var way: Match.Way { self == .source ? .in : .out }
        fileprivate var end: Match.End { self == .source ? .source : .destination }
    }

    /// Each alternative is a conjunction; none for this host, which is a matter of chains. `refusing` for a rule that lets
    /// nobody through: while peers change it is about more of them than one that does.
    package mutating func alternatives(_ places: [Place], _ side: Side, refusing: Bool = false) -> [[Match]] {
        if places.contains(.any) { return [[]] }
        var interfaces: [InterfacePattern] = []
        var result: [[Match]] = []
        var peers: [PeerName] = []
        for place in places {
            switch place {
            case .any, .host: break
            case .other: result.append(others(side))
            case .prefix(let prefix): result.append([Match(.address(side.end, prefix))])
            case .peer(let peer): peers.append(peer)
            case .zone(let name):
                guard let zone = context.zone(name) else { continue }
                interfaces += zone.patterns.map(\.value)
                peers += context.peers(of: zone)
            }
        }
        if !interfaces.isEmpty { result.append([match(interfaces, zonesOf(places), side)]) }
        return result + alternatives(of: peers, side, refusing)
    }

    private func zonesOf(_ places: [Place]) -> [String] {
        places.compactMap { place in
            guard case .zone(let name) = place, context.zone(name)?.patterns.isEmpty == false else { return nil }
            return name
        }
    }

    private mutating func match(_ patterns: [InterfacePattern], _ zones: [String], _ side: Side) -> Match {
        guard patterns.count > 1 else { return Match(.interface(side.way, patterns[0])) }
        let name = KernelName.of("zone", zones.sorted().joined(separator: "+"))
        note(SetDefinition(name, interfaces: patterns))
        return .member([side == .source ? .inputInterface : .outputInterface], of: name)
    }

    /// In none of the zones, nor this host's own loopback.
    private mutating func others(_ side: Side) -> [Match] {
        let loopback = side == .source ? Match.input(.loopback) : Match.output(.loopback)
        let patterns = context.zones.flatMap { $0.patterns.map(\.value) }
        guard !patterns.isEmpty else { return [!loopback] }
        note(SetDefinition("zoned", interfaces: patterns))
        return [!loopback, !Match.member([side == .source ? .inputInterface : .outputInterface], of: "zoned")]
    }

    /// By tunnel and family: packets of a peer come by its tunnel, from what it may use.
    private mutating func alternatives(of peers: [PeerName], _ side: Side, _ refusing: Bool) -> [[Match]] {
        var result: [[Match]] = []
        var unique: [PeerName] = []
        for peer in peers where !unique.contains(peer) { unique.append(peer) }
        var tunnels: [String] = []
        for peer in unique where !tunnels.contains(peer.tunnel) { tunnels.append(peer.tunnel) }
        for tunnel in tunnels {
            guard let pattern = InterfacePattern(tunnel) else { continue }
            let members = unique.filter { $0.tunnel == tunnel }
            let proven = members.flatMap { context.provenPrefixes(of: $0) }
            let claimed = members.flatMap { context.claimedPrefixes(of: $0) }
            let prefixes = refusing ? claimed : proven
            for family in [IPAddress.Family.v4, .v6] {
                let members = members.map(\.name).sorted().joined(separator: "+")
                var name = KernelName.of("peers", tunnel, members, family == .v4 ? "v4" : "v6")
                if refusing, Set(claimed) != Set(proven) { name += ".claimed" }
                note(SetDefinition(name, PrefixSet(family, prefixes)))
                result.append([
                    Match(.interface(side.way, pattern)), .family(family),
                    .member([Self.field(side, family)], of: name),
                ])
            }
        }
        return result
    }

    private static func field(_ side: Side, _ family: IPAddress.Family) -> Field {
        switch (side, family) {
        case (.source, .v4): .sourceV4
        case (.source, .v6): .sourceV6
        case (.destination, .v4): .destinationV4
        case (.destination, .v6): .destinationV6
        }
    }

    private mutating func note(_ set: SetDefinition) {
        if let index = indices.updateValue(sets.count, forKey: set.name) {
            // Two places in one set would give one's rights to the other.
            precondition(sets[index] == set, "two sets are called \(set.name)")
            indices[set.name] = index
            return
        }
        sets.append(set)
    }
}

extension ServicePorts {
    /// What asks for one of the services: an alternative for each protocol with ports, one for all others together.
    package static func alternatives(_ services: [ServicePorts]) -> [[Match]] {
        var result: [[Match]] = []
        var whole: [TransportProtocol] = []
        var transports: [UInt8] = []
        for service in services where !transports.contains(service.transport) { transports.append(service.transport) }
        for transport in transports {
            let same = services.filter { $0.transport == transport }
            let kernel = TransportProtocol(rawValue: transport)
            guard same.contains(where: \.ports.isEmpty) else {
                result.append([.destinationPorts(kernel, PortSet(same.flatMap(\.ports)))])
                continue
            }
            whole.append(kernel)
            if transport == icmp { whole.append(.icmpV6) }
        }
        if whole.count == 1 { result.append([.transport(whole[0])]) }
        if whole.count > 1 { result.append([.transports(whole)]) }
        return result
    }
}
