/// One thing found out about a configuration file.
public struct Diagnostic: Hashable, Sendable {
    public enum Severity: Sendable {
        case error
        /// It works, and is probably not what was meant.
        case warning
        /// Something that could not be checked.
        case note
    }

    public let severity: Severity
    /// nil when it is about the file as a whole.
    public let position: SourcePosition?
    /// One sentence without a full stop. Never holds a secret.
    public let message: String

    public init(_ severity: Severity, _ message: String, at position: SourcePosition?) {
        self.severity = severity
        self.position = position
        self.message = message
    }
}

/// Collects all that is wrong with a file, so that a reader never stops at the first error.
public final class Diagnostics {
    /// The most that are kept; of the others there is only the number.
    public static let maximumCount = 1000

    private var kept: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []
    /// How many more there were than are kept.
    public private(set) var omitted = 0
    public private(set) var hasErrors = false

    public init() {}

    public func error(_ message: @autoclosure () -> String, at position: SourcePosition?) {
        hasErrors = true
        add(.error, message, at: position)
    }

    public func warning(_ message: @autoclosure () -> String, at position: SourcePosition?) {
        add(.warning, message, at: position)
    }

    public func note(_ message: @autoclosure () -> String, at position: SourcePosition?) {
        add(.note, message, at: position)
    }

    /// Adds it, unless the same has been said of the same place: text used through aliases is read more than once. A
    /// message is not worked out, suggestions and all, when nobody will see it.
    private func add(_ severity: Diagnostic.Severity, _ message: () -> String, at position: SourcePosition?) {
        guard kept.count < Self.maximumCount else {
            omitted += 1
            return
        }
        let diagnostic = Diagnostic(severity, message(), at: position)
        if seen.insert(diagnostic).inserted { kept.append(diagnostic) }
    }

    public var isEmpty: Bool { kept.isEmpty }

    /// In the order of the file; what concerns the whole file comes first.
    public var sorted: [Diagnostic] {
        let order = kept.enumerated().sorted {
            ($0.element.position ?? SourcePosition(line: 0, column: 0), $0.offset)
                < ($1.element.position ?? SourcePosition(line: 0, column: 0), $1.offset)
        }
        return order.map(\.element)
    }
}
