import Pipeline
import Wire

extension ConfigurationReader {
    func zones(_ options: inout OptionReader) -> [Zone] {
        let section = options.optional(
            "zones", as: NamedEntries.self, help: "parts of the network, by the names that rules have for them",
            shape: .names(pattern: Names.pattern, Zone.Members.shape))
        guard let section else { return [] }
        if section.entries.count > Zone.maximumCount {
            options.error("more than \(Zone.maximumCount) zones", at: "zones")
        }
        return section.entries.prefix(Zone.maximumCount).compactMap(zone)
    }

    private func zone(_ entry: Value.Mapping.Entry) -> Zone? {
        let (name, quoted) = (entry.key, Quotation.quote(entry.key.value))
        if let problem = Names.problem(withName: name.value) {
            diagnostics.error(problem, at: name.position)
        } else if Zone.reserved.contains(name.value) {
            diagnostics.error("a zone cannot be called \(quoted), which means something else", at: name.position)
        }
        guard entry.value.content != .null else {
            diagnostics.error("zone \(quoted) has nothing under it", at: name.position)
            return nil
        }
        guard var options = OptionReader(entry.value, of: "zone \(quoted)", diagnostics) else { return nil }
        let members = Zone.Members(&options)
        options.finish()
        return members.map { Zone(name: name, members: $0) }
    }

    /// The expectations, each of which has to hold for the file to be good.
    func tests(_ options: inout OptionReader) -> [Located<PolicyTest>] {
        options.optional(
            "tests", default: [], help: "what has to become of flows: looked at by check and before every change")
    }

    /// The second look, with all of the file at hand.
    func resolve(_ context: FileContext, _ pipeline: [PipelineEntry]) {
        var context = context
        for name in checks.tunnels where !context.tunnels.contains(where: { $0.name == name }) {
            context.tunnels.append(FileContext.Tunnel(name: name, listenPort: 0, addresses: []))
        }
        let known = Set(context.peers.map(\.name))
        for name in checks.peers where !known.contains(name) {
            context.peers.append(FileContext.Peer(name: name, prefixes: []))
        }
        ZoneChecks(context, diagnostics).run()
        // What follows from zones or rules that are wrong is not worth telling.
        let isGood = !diagnostics.hasErrors
        let stages = pipeline.compactMap { $0.options as? any ContextualOptions }
        for stage in stages { stage.resolve(in: isGood ? context : context.withoutTests, diagnostics) }
        if let test = context.tests.first, !stages.contains(where: \.judgesTests) {
            diagnostics.error("'tests' are about a firewall, and there is none in the pipeline", at: test.position)
        }
    }
}

extension FileContext {
    fileprivate var withoutTests: FileContext {
        var context = self
        context.tests = []
        return context
    }
}

extension RouterConfiguration {
    /// What stages get to see of the file. `file` is its path.
    package func context(file: String) -> FileContext {
        FileContext(
            router: name, file: String(file.split(separator: "/").last ?? ""),
            tunnels: interfaces.map { interface in
                FileContext.Tunnel(
                    name: interface.name.value, listenPort: interface.listenPort.value,
                    addresses: interface.addresses.map(\.value.address))
            },
            peers: interfaces.flatMap { interface in
                interface.peers.map { peer in
                    FileContext.Peer(
                        name: PeerName(tunnel: interface.name.value, name: peer.name.value),
                        prefixes: peer.allowedIPs.map(\.value))
                }
            },
            zones: zones, stages: pipeline.map { FileContext.Stage(name: $0.stage, options: $0.options) }, tests: tests)
    }
}
