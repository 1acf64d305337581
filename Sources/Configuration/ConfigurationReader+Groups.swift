import Pipeline

extension ConfigurationReader {
    /// The groups of the file, whose peers have all been read.
    mutating func groups(_ options: inout OptionReader, _ pipeline: [PipelineEntry]?) -> [GroupConfiguration] {
        let section = options.optional(
            "groups", as: NamedEntries.self, help: "peers that share what a stage gives them, by the group's name",
            shape: .names(pattern: Names.pattern, groupShape))
        guard let section else { return [] }
        if section.entries.count > RouterConfiguration.maximumGroups {
            options.error("more than \(RouterConfiguration.maximumGroups) groups", at: "groups")
        }
        var members = GroupMembers()
        return section.entries.prefix(RouterConfiguration.maximumGroups).compactMap {
            group($0, pipeline, &members)
        }
    }

    /// Which group each peer is in so far, and where that stands.
    private typealias GroupMembers = [PeerReference: Located<String>]

    private func group(
        _ entry: Value.Mapping.Entry, _ pipeline: [PipelineEntry]?, _ members: inout GroupMembers
    ) -> GroupConfiguration? {
        let name = entry.key
        if let problem = Names.problem(withName: name.value) { diagnostics.error(problem, at: name.position) }
        guard var options = reader(entry, "group") else { return nil }
        return group(name, &options, pipeline, &members)
    }

    private var groupShape: OptionShape {
        let reader = ConfigurationReader(file: "", stages: stages, Diagnostics())
        var members = GroupMembers()
        return .record(
            OptionRecorder.keys { _ = reader.group(Located("", at: .start), &$0, nil, &members) })
    }

    private func group(
        _ name: Located<String>, _ options: inout OptionReader, _ pipeline: [PipelineEntry]?,
        _ members: inout GroupMembers
    ) -> GroupConfiguration? {
        let named = options.require(
            "peers", as: [Located<String>].self, help: "its peers by name, wg0/berlin where two interfaces have one")
        if named?.isEmpty == true, options.length(of: "peers") == 0 {
            options.error("a group has at least one peer", at: "peers")
        }
        var peers: [PeerReference] = []
        for text in named ?? [] {
            guard let peer = resolve(text) else { continue }
            if let other = members[peer] {
                let quoted = Quotation.quote(text.value)
                diagnostics.error(
                    other.value == name.value
                        ? "peer \(quoted) is listed twice"
                        : "peer \(quoted) is in group \(Quotation.quote(other.value)) on line \(other.position.line)",
                    at: text.position)
                continue
            }
            members[peer] = Located(name.value, at: text.position)
            peers.append(peer)
        }
        let stageOptions = stageOptions(&options, pipeline, for: "a group") { $0.groupOptions }
        options.finish()
        return GroupConfiguration(name: name, peers: peers, stageOptions: stageOptions)
    }

    /// The peer that is written `berlin`, or `wg0/berlin` where two interfaces have one.
    private func resolve(_ text: Located<String>) -> PeerReference? {
        let parts = text.value.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts.last ?? ""
        let interfaces = peerNames[name] ?? []
        if parts.count == 2, interfaces.contains(parts[0]) { return PeerReference(interface: parts[0], name: name) }
        if parts.count == 1, interfaces.count == 1 { return PeerReference(interface: interfaces[0], name: name) }
        guard parts.count == 1, interfaces.count > 1 else {
            let known = peerNames.flatMap { name, interfaces in
                (interfaces.count == 1 && parts.count == 1 ? [name] : interfaces.map { "\($0)/\(name)" })
            }
            let hint = Suggestion.hint(for: text.value, among: known.sorted())
            diagnostics.error("there is no peer \(Quotation.quote(text.value))\(hint)", at: text.position)
            return nil
        }
        let ways = interfaces.map { "\($0)/\(name)" }.joined(separator: " or ")
        diagnostics.error(
            "there is a peer \(Quotation.quote(name)) on several interfaces: write \(ways)", at: text.position)
        return nil
    }
}
