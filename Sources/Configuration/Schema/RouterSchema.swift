import Pipeline

/// The JSON Schema (draft 2020-12) of a router file, for editors and other programs: what the reader of files asks for, in
/// those words. It holds a file's structure and the form of its values; what the parts of a file have to do with each
/// other, only the reader knows.
package enum RouterSchema {
    package static func schema(stages: [StageSchema]) -> JSONNode {
        let head: [JSONNode.Member] = [
            .init("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            .init("title", .string("A router file of Fullbore, format \(RouterConfiguration.formatVersion)")),
        ]
        guard case .object(let members) = node(ConfigurationReader.shape(stages: stages)) else { return .object(head) }
        return .object(head + members)
    }

    /// The schema of one shape.
    static func node(_ shape: OptionShape) -> JSONNode {
        .object(members(shape))
    }

    private static func members(_ shape: OptionShape) -> [JSONNode.Member] {
        switch shape {
        case .truth: [.init("type", .string("boolean"))]
        case .whole(let range):
            [.init("type", .string("integer"))] + bound("minimum", range.lowerBound, unless: .min)
                + bound("maximum", range.upperBound, unless: .max)
        case .words(let words): [.init("enum", strings(words))]
        case .text(let text): members(text)
        case .list(let element): [.init("type", .string("array")), .init("items", node(element))]
        case .record(let keys): members(keys)
        case .names(let pattern, let value):
            [
                .init("type", .string("object")),
                .init("propertyNames", .object([.init("pattern", .string(pattern))])),
                .init("additionalProperties", node(value)),
            ]
        case .either(let shapes, _): [.init("anyOf", .array(shapes.map(node)))]
        }
    }

    private static func bound(_ key: String, _ value: Int, unless none: Int) -> [JSONNode.Member] {
        value == none ? [] : [.init(key, .number(value))]
    }

    /// Without a pattern any scalar is text: `name: 7` is one in YAML, and a number in JSON.
    private static func members(_ text: OptionShape.Text) -> [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        if let pattern = text.pattern {
            members = [.init("type", .string("string")), .init("pattern", .string(pattern))]
        } else {
            members = [.init("type", strings(["string", "number", "boolean"]))]
        }
        if !text.examples.isEmpty { members.append(.init("examples", strings(text.examples))) }
        return members
    }

    private static func members(_ keys: [OptionKey]) -> [JSONNode.Member] {
        let properties = keys.map { JSONNode.Member($0.name, .object(members($0))) }
        let required = keys.filter(\.isRequired).map(\.name)
        return [.init("type", .string("object")), .init("properties", .object(properties))]
            + (required.isEmpty ? [] : [.init("required", strings(required))])
            + [.init("additionalProperties", .truth(false))]
    }

    private static func members(_ key: OptionKey) -> [JSONNode.Member] {
        let description = key.help.isEmpty ? [] : [JSONNode.Member("description", .string(key.help))]
        let fallback = key.fallback.map { [JSONNode.Member("default", value($0, key.shape))] } ?? []
        return description + members(key.shape) + fallback
    }

    /// A default as JSON would have it.
    private static func value(_ text: String, _ shape: OptionShape) -> JSONNode {
        switch shape {
        case .truth: .truth(text == "true")
        case .list: .array([])
        case .whole, .either: Int(text).map { .number($0) } ?? .string(text)
        default: .string(text)
        }
    }

    private static func strings(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }
}

extension ConfigurationReader {
    /// What a router file may hold, for these stages: what reading one asks for.
    static func shape(stages: [StageSchema]) -> OptionShape {
        var reader = ConfigurationReader(file: "", stages: stages, Diagnostics())
        return .record(OptionRecorder.keys { _ = reader.router(&$0, defaultName: "") })
    }
}
