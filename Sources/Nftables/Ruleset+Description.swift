extension Ruleset: CustomStringConvertible {
    /// In nft's own syntax, much as `nft list table` shows it: `nft -f` takes it.
    package var description: String {
        let blocks =
            allCounters.map { ["\tcounter \($0.name) {", "\t}"] }
            + sets.map {
                Self.block("set", $0.name, $0.typeText, $0.hasIntervals, $0.elementTexts)
            }
            + maps.map {
                Self.block("map", $0.name, $0.typeText, $0.hasIntervals, $0.elementTexts)
            }
            // nft reads from top to bottom, but takes a jump to a chain that is still to come.
            + chains.map(\.lines)
        let comment = table.mark.isEmpty ? "" : "\tcomment \(QuotedText(table.mark, limit: QuotedText.commentLimit))\n"
        let body = blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
        return "table inet \(table.name) {\n\(comment)\(body)\n}\n"
    }

    private static func block(
        _ kind: String, _ name: String, _ type: String, _ hasIntervals: Bool, _ elements: [String]
    ) -> [String] {
        var lines = ["\t\(kind) \(name) {", "\t\ttype \(type)"]
        if hasIntervals { lines.append("\t\tflags interval") }
        if !elements.isEmpty {
            lines.append("\t\telements = { \(elements.joined(separator: ",\n\t\t\t     ")) }")
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
