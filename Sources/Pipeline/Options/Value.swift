/// A node of a configuration file as it was written, not yet given a type.
public struct Value: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        /// A plain `null`, `~`, or nothing at all.
        case null
        case scalar(Scalar)
        case sequence([Value])
        case mapping(Mapping)
    }

    /// Text that has no type yet. Only plain text can be a number or a truth value; quoted text is text (YAML 1.2 §10.3).
    public struct Scalar: Sendable, Equatable {
        public let text: String
        public let isPlain: Bool

        public init(_ text: String, isPlain: Bool = true) {
            self.text = text
            self.isPlain = isPlain
        }
    }

    /// Keys with their values in the order of the file, each key once.
    public struct Mapping: Sendable, Equatable {
        public struct Entry: Sendable, Equatable {
            public let key: Located<String>
            public let value: Value

            public init(_ key: Located<String>, _ value: Value) {
                self.key = key
                self.value = value
            }
        }

        public let entries: [Entry]

        public init(_ entries: [Entry]) { self.entries = entries }

        public subscript(key: String) -> Entry? { entries.first { $0.key.value == key } }
    }

    public let content: Content
    public let position: SourcePosition

    public init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// What stands there, as an error names it.
    public var found: String {
        switch content {
        case .null: "nothing"
        case .scalar(let scalar): scalar.found
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension Value.Scalar {
    /// `'51820'`, or `the quoted text "51820"`.
    public var found: String {
        isPlain ? Quotation.quote(text) : "the quoted text \(Quotation.quote(text, with: "\""))"
    }
}
