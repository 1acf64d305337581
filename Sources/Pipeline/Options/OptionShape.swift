/// What may stand where an option is read: as much of it as can be told without reading. A type says it of itself, so
/// that the schema of a file comes from the code that reads it.
public indirect enum OptionShape: Sendable, Equatable {
    /// `true` or `false`.
    case truth
    /// A whole number, not in quotes.
    case whole(ClosedRange<Int>)
    /// One of these words.
    case words([String])
    /// One piece of text.
    case text(Text)
    case list(OptionShape)
    /// A mapping with these keys and no others.
    case record([OptionKey])
    /// A mapping whose keys are names that the user chose, each of them matching `pattern`.
    case names(pattern: String, OptionShape)
    /// Any of these; `expected` where it says so better than each of them would.
    case either([OptionShape], expected: String? = nil)

    public struct Text: Sendable, Equatable {
        /// To stand after "expected".
        public let expected: String
        /// A regular expression that all of it matches, in the dialect of JSON Schema (ECMA-262); nil when none says it.
        public let pattern: String?
        /// Some that are right, for whoever reads the schema and for tests.
        public let examples: [String]

        public init(_ expected: String, pattern: String? = nil, examples: [String] = []) {
            self.expected = expected
            self.pattern = pattern
            self.examples = examples
        }
    }
}

/// A key that a mapping may have.
public struct OptionKey: Sendable, Equatable {
    public let name: String
    public let shape: OptionShape
    public let isRequired: Bool
    /// What holds where it is left out, as it would stand in a file; nil when that is nothing that could.
    public let fallback: String?
    /// What it does, as the end of a sentence that starts with the key.
    public let help: String

    public init(name: String, shape: OptionShape, isRequired: Bool, fallback: String? = nil, help: String = "") {
        self.name = name
        self.shape = shape
        self.isRequired = isRequired
        self.fallback = fallback
        self.help = help
    }
}

extension OptionShape {
    /// What stands after "expected".
    public var expected: String {
        switch self {
        case .truth: "true or false"
        case .whole(let range):
            range == Int.min...Int.max
                ? "a whole number" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .words(let words): words.count > 1 ? "one of \(words.joined(separator: ", "))" : words.joined()
        case .text(let text): text.expected
        case .list(let element): "a list, each \(element.expected)"
        case .record(let keys):
            keys.isEmpty ? "an empty mapping" : "a mapping of \(keys.map(\.name).joined(separator: ", "))"
        case .names(_, let value): "a mapping of names, each to \(value.expected)"
        case .either(let shapes, let expected): expected ?? shapes.map(\.expected).joined(separator: ", or ")
        }
    }
}
