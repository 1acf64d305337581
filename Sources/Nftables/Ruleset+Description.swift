extension Ruleset: CustomStringConvertible {
    /// In nft's own syntax, much as `nft list table` shows it: `nft -f` takes it.
    package var description: String {
        let blocks =
            counters.map { ["\tcounter \($0) {", "\t}"] }
            + sets.map(\.lines)
            // nft reads from top to bottom, but takes a jump to a chain that is still to come.
            + chains.map(\.lines)
        let comment = table.mark.isEmpty ? "" : "\tcomment \(QuotedText(table.mark, limit: QuotedText.commentLimit))\n"
        let body = blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
        return "table inet \(table.name) {\n\(comment)\(body)\n}\n"
    }

}

extension SetDefinition {
    fileprivate var lines: [String] {
        var lines = ["\tset \(name) {", "\t\ttype \(typeText)"]
        if hasIntervals { lines.append("\t\tflags interval") }
        if !elements.isEmpty {
            lines.append("\t\telements = { \(elementTexts.joined(separator: ",\n\t\t\t     ")) }")
        }
        return lines + ["\t}"]
    }
}

extension Chain: CustomStringConvertible {
    package var description: String { lines.joined(separator: "\n") }

    var lines: [String] {
        var lines = ["\tchain \(name) {"]
        if let base { lines.append("\t\t\(base)") }
        return lines + rules.flatMap(\.parts).map { "\t\t\($0.line)" } + ["\t}"]
    }
}

extension Chain.Base: CustomStringConvertible {
    package var description: String {
        "type \(kind.rawValue) hook \(hook) priority \(priority); policy \(policy);"
    }
}

extension Chain.Priority: CustomStringConvertible {
    /// A number: what the names stand for depends on nft's version.
    package var description: String { String(rawValue) }
}

extension Rule: CustomStringConvertible {
    /// One line in nft's syntax for each rule that the kernel is given.
    package var description: String { parts.map(\.line).joined(separator: "\n") }

    /// As one rule, whatever limits its logs have.
    var line: String {
        var words = matches.map(\.description) + statements.map(\.description)
        if !comment.isEmpty { words.append("comment \(QuotedText(comment, limit: QuotedText.commentLimit))") }
        return words.joined(separator: " ")
    }
}
