/// One thing found out about a configuration file.
package struct Diagnostic: Hashable, Sendable {
    package enum Severity: Sendable {
        case error
        /// It works, and is probably not what was meant.
        case warning
        /// Something that could not be checked.
        case note
    }

    package let severity: Severity
    /// nil when it is about the file as a whole.
    package let position: SourcePosition?
    /// One sentence without a full stop. Never holds a secret.
    package let message: String

    package init(_ severity: Severity, _ message: String, at position: SourcePosition?) {
        self.severity = severity
        self.position = position
        self.message = message
    }
}

/// Collects all that is wrong with a file, so that a reader never stops at the first error.
package final class Diagnostics {
    /// The most that are kept; of the others there is only the number.
    package static let maximumCount = 1000

    private var kept: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []
    /// How many more there were than are kept.
    package private(set) var omitted = 0
    package private(set) var hasErrors = false

    package init() {}

    package func error(_ message: String, at position: SourcePosition?) {
        add(Diagnostic(.error, message, at: position))
    }

    package func warning(_ message: String, at position: SourcePosition?) {
        add(Diagnostic(.warning, message, at: position))
    }

    package func note(_ message: String, at position: SourcePosition?) {
        add(Diagnostic(.note, message, at: position))
    }

    /// Adds it, unless the same has been said of the same place: text used through aliases is read more than once.
    package func add(_ diagnostic: Diagnostic) {
        if diagnostic.severity == .error { hasErrors = true }
        guard kept.count < Self.maximumCount else {
            omitted += 1
            return
        }
        if seen.insert(diagnostic).inserted { kept.append(diagnostic) }
    }

    /// True when what is added now is only counted, so that no suggestion need be worked out for it.
    package var isFull: Bool { kept.count >= Self.maximumCount }

    /// In the order of the file; what concerns the whole file comes first.
    package var sorted: [Diagnostic] {
        let order = kept.enumerated().sorted {
            ($0.element.position ?? SourcePosition(line: 0, column: 0), $0.offset)
                < ($1.element.position ?? SourcePosition(line: 0, column: 0), $1.offset)
        }
        return order.map(\.element)
    }
}
