import Pipeline

extension ConfigurationReader {
    /// The stages from top to bottom with their options; the core ones where the file lists none, and nil when it is
    /// not clear which there are.
    func pipeline(_ options: inout OptionReader) -> [PipelineEntry]? {
        let list = options.value(
            "pipeline", help: "the stages, from the host to the wire; the core ones where this is left out",
            shape: .list(entryShape))
        guard let list else { return options.has("pipeline") ? nil : corePipeline(at: options.position) }
        guard case .sequence(let values) = list.content else {
            diagnostics.error("expected a list of stages, found \(list.found)", at: list.position)
            return nil
        }
        guard values.count <= RouterConfiguration.maximumStages else {
            diagnostics.error("more than \(RouterConfiguration.maximumStages) stages", at: list.position)
            return nil
        }
        let entries = values.map { entry($0) }
        let known = entries.compactMap(\.self)
        // An order with a gap in it would only bring up what follows from the gap.
        guard known.count == entries.count else { return nil }
        checkOrder(known, list.position)
        return known
    }

    /// A stage's name, unless it cannot do without options, or a mapping from the name to its options.
    private var entryShape: OptionShape {
        let bare = stages.filter { schema in
            guard case .record(let keys) = schema.options?.shape else { return true }
            return !keys.contains { $0.isRequired }
        }
        let withOptions = stages.compactMap { schema in
            schema.options.map { type in
                OptionKey(
                    name: schema.name, shape: type.shape, isRequired: true, fallback: nil,
                    help: schema.declaration.summary)
            }
        }
        return .either([.words(bare.map(\.name))] + withOptions.map { .record([$0]) })
    }

    private func corePipeline(at position: SourcePosition) -> [PipelineEntry] {
        StageOrder.core.map { PipelineEntry(stage: Located($0, at: position)) }
    }

    private func entry(_ value: Value) -> PipelineEntry? {
        switch value.content {
        case .scalar(let scalar):
            return entry(Located(scalar.text, at: value.position), options: nil)
        case .mapping(let mapping):
            guard let only = mapping.entries.first, mapping.entries.count == 1 else { break }
            return entry(only.key, options: only.value)
        default:
            break
        }
        diagnostics.error(
            "expected a stage, or one stage with its options as in 'rate-limit: { … }'", at: value.position)
        return nil
    }

    private func entry(_ name: Located<String>, options value: Value?) -> PipelineEntry? {
        guard let schema = stages.first(where: { $0.name == name.value }) else {
            let hint = Suggestion.hint(for: name.value, among: stages.map(\.name))
            let names = ": there are \(stages.map(\.name).joined(separator: ", "))"
            diagnostics.error(
                "unknown stage \(Quotation.quote(name.value))\(hint.isEmpty ? names : hint)", at: name.position)
            return nil
        }
        return PipelineEntry(stage: name, options: record(schema.options, value, name))
    }

    private func record(
        _ type: (any OptionRecord.Type)?, _ value: Value?, _ name: Located<String>
    ) -> (any OptionRecord)? {
        guard let type else {
            if let value { diagnostics.error("\(name.value) takes no options", at: value.position) }
            return nil
        }
        guard value?.content != .null else {
            diagnostics.error("'\(name.value)' has no options after its ':'", at: name.position)
            return nil
        }
        // A bare name is a stage with none of its options given; it says itself if it needs one.
        return stageOptions(type, value ?? Value(.mapping(Value.Mapping([])), at: name.position), of: name.value)
    }

    /// Reads a stage's options, or its options for a peer.
    func stageOptions(_ type: any OptionRecord.Type, _ value: Value, of stage: String) -> (any OptionRecord)? {
        guard var options = OptionReader(value, of: "the options of \(stage)", diagnostics) else { return nil }
        let record = type.init(&options)
        options.finish()
        return record
    }

    private func checkOrder(_ entries: [PipelineEntry], _ position: SourcePosition) {
        let declarations = entries.compactMap { entry in stages.first { $0.name == entry.stage.value }?.declaration }
        for problem in StageOrder.problems(of: declarations) {
            diagnostics.error(problem.message, at: problem.index.map { entries[$0].stage.position } ?? position)
        }
    }
}
