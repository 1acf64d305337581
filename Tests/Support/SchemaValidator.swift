import Configuration
import Pipeline

/// Validates YAML against a JSON Schema (draft 2020-12), as an editor would: the part of it that is used here, and a
/// keyword that it does not know is an error.
package struct SchemaValidator {
    private let schema: JSONNode
    private let patterns = PatternCache()

    package init(_ schema: JSONNode) { self.schema = schema }

    /// Where `value` is not what the schema says, each as `/interfaces/wg0: …`; empty when it is valid.
    package func problems(of value: Value) -> [String] { problems(value, schema, "") }

    private func problems(_ value: Value, _ schema: JSONNode, _ path: String) -> [String] {
        guard case .object(let members) = schema else { return ["\(path): a schema that is no mapping"] }
        return members.flatMap { problems(value, $0.key, $0.value, schema, path) }
    }

    private func problems(
        _ value: Value, _ keyword: String, _ argument: JSONNode, _ schema: JSONNode, _ path: String
    ) -> [String] {
        let instance = Instance(value)
        switch (keyword, argument) {
        case ("$schema", _), ("title", _), ("description", _), ("default", _), ("examples", _): return []
        case ("type", .string(let type)): return instance.isOf(type) ? [] : ["\(path): not of type \(type)"]
        case ("type", .array(let types)):
            let isOne = types.contains { if case .string(let type) = $0 { instance.isOf(type) } else { false } }
            return isOne ? [] : ["\(path): of none of the types"]
        case ("enum", .array(let values)):
            return values.contains { $0 == instance.json } ? [] : ["\(path): none of the words"]
        case ("pattern", .string(let pattern)):
            guard case .string(let text) = instance else { return [] }
            return patterns.matches(text, pattern) ? [] : ["\(path): does not match \(pattern)"]
        case ("minimum", .number(let bound)):
            if case .integer(let number) = instance, number < bound { return ["\(path): below \(bound)"] }
            return []
        case ("maximum", .number(let bound)):
            if case .integer(let number) = instance, number > bound { return ["\(path): above \(bound)"] }
            return []
        case ("anyOf", .array(let schemas)):
            let all = schemas.map { problems(value, $0, path) }
            return all.contains(where: \.isEmpty) ? [] : ["\(path): none of the alternatives"] + all.flatMap(\.self)
        case ("items", _):
            guard case .sequence(let elements) = value.content else { return [] }
            return elements.enumerated().flatMap { problems($0.element, argument, "\(path)/\($0.offset)") }
        case ("properties", _), ("required", _), ("additionalProperties", _), ("propertyNames", _):
            guard case .mapping(let mapping) = value.content else { return [] }
            return problems(mapping, keyword, argument, schema, path)
        default: return ["\(path): the validator does not know the keyword \(keyword)"]
        }
    }

    private func problems(
        _ mapping: Value.Mapping, _ keyword: String, _ argument: JSONNode, _ schema: JSONNode, _ path: String
    ) -> [String] {
        let properties = schema["properties"]
        switch (keyword, argument) {
        case ("properties", _):
            return mapping.entries.flatMap { entry in
                argument[entry.key.value].map { problems(entry.value, $0, "\(path)/\(entry.key.value)") } ?? []
            }
        case ("required", .array(let names)):
            return names.compactMap { name in
                guard case .string(let name) = name, mapping[name] == nil else { return nil }
                return "\(path): lacks \(name)"
            }
        case ("additionalProperties", .truth(false)):
            return mapping.entries.filter { properties?[$0.key.value] == nil }.map { "\(path): has \($0.key.value)" }
        case ("additionalProperties", .object):
            return mapping.entries.filter { properties?[$0.key.value] == nil }.flatMap {
                problems($0.value, argument, "\(path)/\($0.key.value)")
            }
        case ("propertyNames", .object):
            return mapping.entries.flatMap { entry in
                let name = Value(
                    .scalar(Value.Scalar(entry.key.value, isPlain: false)), at: entry.key.position)
                return problems(name, argument, "\(path)/\(entry.key.value) as a name")
            }
        default: return ["\(path): the validator does not know this use of \(keyword)"]
        }
    }
}

/// A node of YAML as JSON has it, its type by the core schema (YAML 1.2 §10.3.2).
private enum Instance {
    case null, truth(Bool), integer(Int), number, string(String), array, object

    init(_ value: Value) {
        switch value.content {
        case .null: self = .null
        case .sequence: self = .array
        case .mapping: self = .object
        case .scalar(let scalar): self = scalar.isPlain ? Self.plain(scalar.text) : .string(scalar.text)
        }
    }

    private static func plain(_ text: String) -> Instance {
        switch text {
        case "true", "True", "TRUE": return .truth(true)
        case "false", "False", "FALSE": return .truth(false)
        default: break
        }
        if text.wholeMatch(of: /[-+]?[0-9]+/) != nil { return Int(text).map { .integer($0) } ?? .number }
        if text.wholeMatch(of: /0o[0-7]+/) != nil {
            return Int(text.dropFirst(2), radix: 8).map { .integer($0) } ?? .number
        }
        if text.wholeMatch(of: /0x[0-9a-fA-F]+/) != nil {
            return Int(text.dropFirst(2), radix: 16).map { .integer($0) } ?? .number
        }
        let float = /[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)/
        return text.wholeMatch(of: float) != nil ? .number : .string(text)
    }

    func isOf(_ type: String) -> Bool {
        switch self {
        case .null: type == "null"
        case .truth: type == "boolean"
        case .integer: type == "integer" || type == "number"
        case .number: type == "number"
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    /// nil for what no `enum` here holds.
    var json: JSONNode? {
        switch self {
        case .string(let text): .string(text)
        case .truth(let value): .truth(value)
        case .integer(let value): .number(value)
        default: nil
        }
    }
}

private final class PatternCache {
    private var compiled: [String: Regex<AnyRegexOutput>] = [:]

    /// A pattern that is none matches nothing.
    func matches(_ text: String, _ pattern: String) -> Bool {
        if compiled[pattern] == nil { compiled[pattern] = try? Regex(pattern) }
        return compiled[pattern].map { text.contains($0) } ?? false
    }
}
