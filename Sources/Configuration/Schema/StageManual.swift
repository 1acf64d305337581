import Pipeline

/// What `fullbore stages` prints: what a stage declares, in words.
package enum StageManual {
    /// A line for each stage.
    package static func list(_ stages: [StageSchema]) -> String {
        let width = stages.map(\.name.count).max() ?? 0
        return stages.map { "\(pad($0.name, width))  \($0.declaration.summary)" }.joined(separator: "\n")
    }

    /// All that a stage says of itself.
    package static func page(_ stage: StageSchema) -> String {
        let declaration = stage.declaration
        var sections = ["\(stage.name): \(declaration.summary)", place(declaration)]
        if let options = stage.options { sections.append(section("In the pipeline", keys(options.shape))) }
        if let options = stage.peerOptions { sections.append(section("In a peer", keys(options.shape))) }
        if let options = stage.groupOptions { sections.append(section("In a group", keys(options.shape))) }
        if !declaration.counters.isEmpty {
            sections.append(section("Counters", table(declaration.counters.map { ($0.name, $0.meaning) })))
        }
        if !declaration.drops.isEmpty { sections.append(section("Drops", declaration.drops)) }
        return sections.joined(separator: "\n\n")
    }

    private static func place(_ stage: StageDeclaration) -> String {
        switch stage.place {
        case .host: return "It acts in the kernel, on packets before they enter and after they leave the TUN device."
        case .path: break
        }
        let lines = [("outbound", stage.outbound), ("inbound", stage.inbound)].map { direction, passage in
            let parts = [("needs", passage.needs), ("provides", passage.provides), ("removes", passage.removes)]
                .filter { !$0.1.isEmpty }.map { "\($0.0) \(names($0.1))" }
            return (direction, parts.isEmpty ? "needs nothing" : parts.joined(separator: "; "))
        }
        return section("On the packet path", table(lines))
    }

    private static func names(_ facts: Facts) -> String {
        Facts.named.filter { facts.contains($0.0) }.map(\.1).joined(separator: " and ")
    }

    private static func keys(_ shape: OptionShape) -> [String] {
        let lines = keysIfAny(shape, under: "")
        return lines.isEmpty ? [shape.expected] : lines
    }

    /// The keys of a shape that is a mapping, and those of what stands under them.
    private static func keysIfAny(_ shape: OptionShape, under parent: String) -> [String] {
        switch shape {
        case .record(let keys): keys.flatMap { lines($0, under: parent) }
        case .either(let shapes, _): alternatives(shapes, under: parent)
        case .list(let element): keysIfAny(element, under: parent.isEmpty ? parent : "\(parent.dropLast())[].")
        case .names(_, let value): keysIfAny(value, under: "\(parent)NAME.")
        case .truth, .whole, .words, .text: []
        }
    }

    /// The keys of each mapping among them, with a word between two.
    private static func alternatives(_ shapes: [OptionShape], under parent: String) -> [String] {
        let each = shapes.map { keysIfAny($0, under: parent) }.filter { !$0.isEmpty }
        return Array(each.joined(separator: parent.isEmpty ? ["or"] : []))
    }

    private static func lines(_ key: OptionKey, under parent: String) -> [String] {
        let name = parent + key.name
        let left = key.isRequired ? " (required)" : key.fallback.map { " (default: \($0))" } ?? ""
        let help = key.help.isEmpty ? [] : ["    \(key.help)"]
        let title = if case .record = key.shape { name } else { "\(name): \(key.shape.expected)" }
        return [title + left] + help + keysIfAny(key.shape, under: "\(name).")
    }

    private static func section(_ title: String, _ lines: [String]) -> String {
        ([title] + lines.map { "  \($0)" }).joined(separator: "\n")
    }

    private static func table(_ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "\(pad($0.0, width))  \($0.1)" }
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
