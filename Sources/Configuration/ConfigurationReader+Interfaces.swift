import Crypto
import Pipeline
import Wire

extension ConfigurationReader {
    mutating func interfaces(_ options: inout OptionReader, _ pipeline: [PipelineEntry]?) -> [InterfaceConfiguration] {
        let section = options.require(
            "interfaces", as: NamedEntries.self, help: "the WireGuard interfaces by name",
            shape: .names(pattern: Names.interfacePattern, interfaceShape))
        guard let section else { return [] }
        if section.entries.isEmpty { options.error("a router has at least one interface", at: "interfaces") }
        if section.entries.count > RouterConfiguration.maximumInterfaces {
            options.error("more than \(RouterConfiguration.maximumInterfaces) interfaces", at: "interfaces")
        }
        return section.entries.prefix(RouterConfiguration.maximumInterfaces).compactMap { interface($0, pipeline) }
    }

    private mutating func interface(
        _ entry: Value.Mapping.Entry, _ pipeline: [PipelineEntry]?
    ) -> InterfaceConfiguration? {
        let name = entry.key
        if let problem = Names.problem(withInterface: name.value) { diagnostics.error(problem, at: name.position) }
        checks.note(tunnel: name.value)
        guard var options = reader(entry, "interface") else { return nil }
        return interface(name, &options, pipeline)
    }

    private var interfaceShape: OptionShape {
        var reader = ConfigurationReader(file: "", stages: stages, Diagnostics())
        return .record(OptionRecorder.keys { _ = reader.interface(Located("", at: .start), &$0, nil) })
    }

    private mutating func interface(
        _ name: Located<String>, _ options: inout OptionReader, _ pipeline: [PipelineEntry]?
    ) -> InterfaceConfiguration? {
        let privateKey = options.require(
            "private-key", as: Located<KeySource>.self, help: "where the interface's private key is")
        let port = options.optional(
            "listen-port", default: Located<UInt16>(0, at: name.position),
            help: "the UDP port; 0 leaves the choice to the kernel")
        let addresses = addresses(&options, of: name.value)
        let mtu = options.optional(
            "mtu", default: InterfaceConfiguration.defaultMTU, in: InterfaceConfiguration.mtuRange,
            help: "the largest packet inside the tunnel, in bytes")
        let fwmark = options.optional(
            "fwmark", default: UInt32(0), help: "the mark on sealed packets, for policy routing; 0 is none")
        let routes = options.optional(
            "routes", default: true, help: "whether each allowed prefix gets a route in the kernel")
        let scope = PeerScope(interface: name.value, routes: routes, pipeline: pipeline)
        let section = options.optional(
            "peers", as: NamedEntries.self, help: "the interface's peers by name",
            shape: .names(pattern: Names.pattern, peerShape))
        checks.reserve(section?.entries.count ?? 0)
        let peers = (section?.entries ?? []).compactMap { peer($0, scope) }
        options.finish()

        checks.note(port: port, of: name.value)
        let prefixes = addresses.map(\.value.address.family) + peers.flatMap { $0.allowedIPs.map(\.value.family) }
        if mtu < InterfaceConfiguration.minimumMTUForIPv6, prefixes.contains(.v6) {
            options.error("IPv6 needs an MTU of at least \(InterfaceConfiguration.minimumMTUForIPv6)", at: "mtu")
        }
        guard let privateKey else { return nil }
        let interface = InterfaceConfiguration(
            name: name, privateKey: privateKey, listenPort: port, addresses: addresses, mtu: mtu, fwmark: fwmark,
            routes: routes, peers: peers)
        if interface.takesDefaultRoute, InterfaceConfiguration.reservedTables.contains(fwmark) {
            options.error(
                "the default route gets a routing table of this number, and \(fwmark) is the host's", at: "fwmark")
        }
        return interface
    }

    private mutating func addresses(
        _ options: inout OptionReader, of interface: String
    ) -> [Located<InterfaceAddress>] {
        let addresses = options.optional(
            "addresses", default: [Located<InterfaceAddress>](), help: "our addresses, each with its network's length")
        if addresses.count > InterfaceConfiguration.maximumAddresses {
            options.error("more than \(InterfaceConfiguration.maximumAddresses) addresses", at: "addresses")
            return []
        }
        for address in addresses {
            checks.note(address, of: interface)
            let network = address.value.network
            // The last two lengths have no room for an address that only names the network (RFC 3021, RFC 6164).
            if network.address == address.value.address, network.length < network.family.bitWidth - 1 {
                diagnostics.warning(
                    "\(address.value) is the network itself, not an address in it", at: address.position)
            }
        }
        return addresses
    }

    /// What a peer's options are read against.
    private struct PeerScope {
        let interface: String
        let routes: Bool
        /// nil when it is not clear which stages there are.
        let pipeline: [PipelineEntry]?
    }

    private mutating func peer(_ entry: Value.Mapping.Entry, _ scope: PeerScope) -> PeerConfiguration? {
        let name = entry.key
        if let problem = Names.problem(withName: name.value) { diagnostics.error(problem, at: name.position) }
        checks.note(peer: name.value, on: scope.interface)
        peerNames[name.value, default: []].append(scope.interface)
        guard var options = reader(entry, "peer") else { return nil }
        return peer(name, &options, scope)
    }

    private var peerShape: OptionShape {
        var reader = ConfigurationReader(file: "", stages: stages, Diagnostics())
        let nowhere = PeerScope(interface: "", routes: false, pipeline: nil)
        return .record(OptionRecorder.keys { _ = reader.peer(Located("", at: .start), &$0, nowhere) })
    }

    private mutating func peer(
        _ name: Located<String>, _ options: inout OptionReader, _ scope: PeerScope
    ) -> PeerConfiguration? {
        let publicKey = options.require(
            "public-key", as: Located<PublicKey>.self, help: "the peer's public key, as wg prints it")
        let presharedKey = options.optional(
            "preshared-key", as: Located<KeySource>.self, help: "where the key is that both ends have beside theirs")
        let endpoint = options.optional(
            "endpoint", as: Located<HostPort>.self, help: "where the peer is at first: a name or an address, and a port"
        )
        let allowed = options.optional(
            "allowed-ips", default: [Located<WrittenPrefix>](),
            help: "the prefixes that are behind the peer: what goes there, and what may come from it")
        let keepalive = options.optional(
            "persistent-keepalive", as: Keepalive.self, help: "seconds between packets that keep a NAT's mapping open")
        let rank = standby(&options)
        let stageOptions = stageOptions(&options, scope.pipeline, for: "a peer") { $0.peerOptions }
        options.finish()

        if let publicKey { checks.note(publicKey, of: name, on: scope.interface) }
        let prefixes = allowed.map { Located($0.value.prefix, at: $0.position) }
        // What follows from a prefix that could not be read is not worth telling.
        if allowed.count == options.length(of: "allowed-ips") {
            check(stageOptions, DeclaredPeer(name: name.value, interface: scope.interface, allowedIPs: prefixes))
        }
        for prefix in prefixes {
            checks.note(
                CrossChecks.Claim(
                    prefix: prefix, peer: name.value, interface: scope.interface, isRouted: scope.routes, rank: rank))
        }
        if scope.routes, let endpoint, case .address(let address, zone: nil) = endpoint.value.host {
            checks.note(
                CrossChecks.RoutedEndpoint(
                    endpoint: endpoint, address: address, peer: name.value, interface: scope.interface))
        }
        guard let publicKey else { return nil }
        return PeerConfiguration(
            name: name, publicKey: publicKey, presharedKey: presharedKey, endpoint: endpoint, allowedIPs: prefixes,
            persistentKeepalive: keepalive?.interval, stageOptions: stageOptions)
    }

    /// The rank among those that claim a prefix. Not acted on yet, so a file that counts on it is refused.
    private func standby(_ options: inout OptionReader) -> Int {
        let rank = options.optional(
            "standby", default: 0, in: 0...255, help: "the rank among peers that claim one prefix; 0 is the first")
        if rank != 0 { options.error("'standby' is not supported yet", at: "standby") }
        return rank
    }

    private func check(_ records: [String: any OptionRecord], _ peer: DeclaredPeer) {
        for record in records.values { (record as? any PeerOptionRecord)?.check(against: peer, diagnostics) }
    }

    /// The options of a peer or a group for the stages of the pipeline. A key that names another stage is no unknown key.
    func stageOptions(
        _ options: inout OptionReader, _ pipeline: [PipelineEntry]?, for whom: String,
        _ type: (StageSchema) -> (any OptionRecord.Type)?
    ) -> [String: any OptionRecord] {
        var records: [String: any OptionRecord] = [:]
        for schema in stages {
            let stage = schema.name
            guard let type = type(schema) else {
                options.refuse(stage, "\(stage) takes no options for \(whom)")
                continue
            }
            guard pipeline?.contains(where: { $0.stage.value == stage }) ?? true else {
                options.refuse(stage, "\(stage) is not in the pipeline: add it there, or leave this out")
                continue
            }
            let value = options.value(stage, help: schema.declaration.summary, shape: type.shape)
            if let value { records[stage] = stageOptions(type, value, of: stage) }
        }
        return records
    }

    /// Reads what stands under a name: `peer 'berlin'`.
    func reader(_ entry: Value.Mapping.Entry, _ kind: String) -> OptionReader? {
        let name = entry.key.value
        if case .null = entry.value.content {
            diagnostics.error("\(kind) \(Quotation.quote(name)) has nothing under it", at: entry.key.position)
            return nil
        }
        return OptionReader(entry.value, of: "\(kind) \(Quotation.quote(name))", diagnostics)
    }
}

/// A mapping whose keys are names that the user chose.
struct NamedEntries: OptionRecord {
    let entries: [Value.Mapping.Entry]
    init?(_ options: inout OptionReader) { entries = options.entries() }
}
