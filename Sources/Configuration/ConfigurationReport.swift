package import Pipeline

/// What was found out about a file: thrown when it has errors, otherwise the warnings and notes of a file that is good.
///
/// Its description is what a user gets to see, in the order of the file:
///
///     router.yaml:31:9: unknown key 'alowed-ips' (did you mean 'allowed-ips'?)
///             alowed-ips: [10.80.0.2/32]
///             ^
package struct ConfigurationReport: Error, Sendable {
    package let source: SourceText
    /// Sorted by position.
    package let diagnostics: [Diagnostic]
    /// How many more there were.
    package let omitted: Int

    package init(_ source: SourceText, _ diagnostics: Diagnostics) {
        self.source = source
        let end = diagnostics.isEmpty ? .start : source.end
        self.diagnostics = diagnostics.sorted.map { diagnostic in
            // libyaml takes what is missing at the end of a last line without a break to be on the line after it.
            guard let position = diagnostic.position, position.line > end.line else { return diagnostic }
            return Diagnostic(diagnostic.severity, diagnostic.message, at: end)
        }
        omitted = diagnostics.omitted
    }

    package var isEmpty: Bool { diagnostics.isEmpty }
}

extension ConfigurationReport: CustomStringConvertible {
    /// A line longer than this is not shown at all.
    static let longestLine = 4096
    /// The most characters shown of a line.
    static let excerptWidth = 120

    package var description: String {
        let lines = source.lines()
        var texts = diagnostics.map { text(of: $0, lines) }
        if omitted > 0 { texts.append("\(source.file): and \(omitted) more") }
        return texts.joined(separator: "\n")
    }

    private func text(of diagnostic: Diagnostic, _ lines: [Range<Int>]) -> String {
        let kind =
            switch diagnostic.severity {
            case .error: ""
            case .warning: "warning: "
            case .note: "note: "
            }
        guard let position = diagnostic.position else { return "\(source.file): \(kind)\(diagnostic.message)" }
        let head = "\(source.file):\(position.line):\(position.column): \(kind)\(diagnostic.message)"
        return lines.indices.contains(position.line - 1)
            ? head + (excerpt(lines[position.line - 1], column: position.column) ?? "") : head
    }

    /// The line and a caret below its column, each after a line break; nil for a line that is empty, or that nobody would read.
    private func excerpt(_ range: Range<Int>, column: Int) -> String? {
        guard range.count <= 4 * Self.longestLine else { return nil }
        let line = String(decoding: source.bytes[range], as: UTF8.self)
        guard (1...Self.longestLine).contains(line.unicodeScalars.count) else { return nil }
        let scalars = Array(Quotation.clean(line).unicodeScalars)
        let caret = min(column - 1, scalars.count)
        let start = scalars.count <= Self.excerptWidth ? 0 : max(0, caret - Self.excerptWidth / 2)
        let end = min(scalars.count, start + Self.excerptWidth)
        let shown = (start > 0 ? "…" : "") + text(scalars[start..<end]) + (end < scalars.count ? "…" : "")
        let indent = (start > 0 ? " " : "") + text(scalars[start..<caret].map { $0 == "\t" ? "\t" : " " })
        return "\n\(shown)\n\(indent)^"
    }

    private func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
