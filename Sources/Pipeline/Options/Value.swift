/// A node of a configuration file as it was written, not yet given a type.
package struct Value: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// A plain `null`, `~`, or nothing at all.
        case null
        case scalar(Scalar)
        case sequence([Value])
        case mapping(Mapping)
    }

    /// Text that has no type yet. Only plain text can be a number or a truth value; quoted text is text (YAML 1.2 §10.3).
    package struct Scalar: Sendable, Equatable {
        package let text: String
        package let isPlain: Bool

        package init(_ text: String, isPlain: Bool = true) {
            self.text = text
            self.isPlain = isPlain
        }
    }

    /// Keys with their values in the order of the file, each key once.
    package struct Mapping: Sendable, Equatable {
        package struct Entry: Sendable, Equatable {
            package let key: Located<String>
            package let value: Value

            package init(_ key: Located<String>, _ value: Value) {
                self.key = key
                self.value = value
            }
        }

        package let entries: [Entry]

        package init(_ entries: [Entry]) { self.entries = entries }

        package subscript(key: String) -> Entry? { entries.first { $0.key.value == key } }
    }

    package let content: Content
    package let position: SourcePosition

    package init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// What stands there, as an error names it.
    package var found: String {
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
    package var found: String {
        isPlain ? Quotation.quote(text) : "the quoted text \(Quotation.quote(text, with: "\""))"
    }
}
