import Foundation
import Pipeline
import Router

/// A stage that is to be begun in a checkout: what is written for it, and where.
struct StageScaffold {
    struct Problem: Error { let text: String }

    /// In files, `port-knock`.
    let name: String
    /// In Swift, `PortKnock`: the module and the class in it.
    let type: String
    private let checkout: URL
    private let package: String
    private let registry: String
    private let costs: String

    private static let packagePath = "Package.swift"
    private static let registryPath = "Sources/Router/StageRegistry.swift"
    private static let costsPath = "etc/bench.d/stages"
    /// Where the names are that a stage, its test and the registry can see.
    private static let visible = [
        "Sources/Pipeline", "Sources/Wire", "Sources/Router", "Tests/StageTestKit", "Tests/Support",
    ]
    private static let maximumNameLength = 40

    /// Refuses names that are no names, and those that are taken.
    init(_ name: String, in checkout: URL) throws(Problem) {
        let words = name.split(separator: "-", omittingEmptySubsequences: false)
        guard name.utf8.count <= Self.maximumNameLength, words.allSatisfy(Self.isWord),
            words.first?.first?.isLetter == true
        else {
            throw Problem(
                text: "\(Quotation.quote(name)) is no stage's name: that is lower-case words with '-' between them")
        }
        guard !StageRegistry.schemas.contains(where: { $0.name == name }) else {
            throw Problem(text: "there is a stage '\(name)' already")
        }
        self.name = name
        self.checkout = checkout
        type = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        guard let package = try? String(contentsOf: checkout.appending(path: Self.packagePath), encoding: .utf8),
            let registry = try? String(contentsOf: checkout.appending(path: Self.registryPath), encoding: .utf8),
            let costs = try? String(contentsOf: checkout.appending(path: Self.costsPath), encoding: .utf8)
        else { throw Problem(text: "this is no checkout of fullbore: there is no \(Self.registryPath) here") }
        self.package = package
        self.registry = registry
        self.costs = costs
        if let place = taken() {
            throw Problem(text: "the name \(type), which '\(name)' has in Swift, is taken by \(place)")
        }
    }

    private static func isWord(_ word: Substring) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
    }

    /// Who has the type's name already, as a module or as a type that would be confused with it.
    private func taken() -> String? {
        for folder in ["Plugins", "Sources"] where exists("\(folder)/\(type)") { return "\(folder)/\(type)" }
        if exists("Tests/\(type)Tests") { return "Tests/\(type)Tests" }
        if let owner = TakenNames.owner(of: type) { return owner }
        // A target, or a product of a dependency.
        if ["\"\(type)\"", "\"\(type)Tests\""].contains(where: package.contains) { return Self.packagePath }
        let declaration = "(class|struct|enum|protocol|associatedtype|typealias|actor) \(type)\\b"
        for folder in Self.visible {
            let files = FileManager.default.enumerator(atPath: checkout.appending(path: folder).path)
            while let file = files?.nextObject() as? String {
                let text = try? String(contentsOf: checkout.appending(path: "\(folder)/\(file)"), encoding: .utf8)
                if text?.range(of: declaration, options: .regularExpression) != nil { return "\(folder)/\(file)" }
            }
        }
        return nil
    }

    private func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: checkout.appending(path: path).path)
    }

    // MARK: Writing

    /// Writes everything; the paths of what was written.
    func write() throws(Problem) -> [String] {
        let files = [
            ("Plugins/\(type)/\(type).swift", StageTemplate.stage(name, type)),
            ("Plugins/\(type)/README.md", StageTemplate.page(name)),
            ("Tests/\(type)Tests/\(type)Tests.swift", StageTemplate.tests(name, type)),
            (Self.packagePath, try packageWithLines()), (Self.registryPath, try registryWithLines()),
            (Self.costsPath, costsWithLine()),
        ]
        do {
            for (path, text) in files {
                let place = checkout.appending(path: path)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: place)
            }
        } catch {
            throw Problem(text: "cannot write: \(error.localizedDescription)")
        }
        return files.map(\.0)
    }

    private func packageWithLines() throws(Problem) -> String {
        let withPlugin = try Self.adding("plugin(\"\(type)\")", to: "let plugins = [", indent: "    ", in: package)
        let anchor = "        tests(\"StageTestKit\""
        var lines = withPlugin.components(separatedBy: "\n")
        guard let index = lines.firstIndex(where: { $0.hasPrefix(anchor) }) else {
            throw Problem(text: "\(Self.packagePath) has no line that begins with \(anchor)")
        }
        lines.insert("        tests(\"\(type)\", [\"StageTestKit\", \"Wire\", \"Pipeline\"]),", at: index + 1)
        return lines.joined(separator: "\n")
    }

    private func registryWithLines() throws(Problem) -> String {
        let marker = "static let plugins: [StageSchema] = ["
        let text = try Self.adding("StageSchema(\(type).self)", to: marker, indent: "        ", in: registry)
        var lines = text.components(separatedBy: "\n")
        let imports = lines.prefix { $0.isEmpty || $0.hasPrefix("import ") || $0.hasPrefix("//") }
        let line = "import \(type)"
        let after = imports.lastIndex { $0.hasPrefix("import ") && $0 < line }
        lines.insert(line, at: after.map { $0 + 1 } ?? 0)
        return lines.joined(separator: "\n")
    }

    /// In front of the first stage that comes after it; the others' lines stay in the order that they have.
    private func costsWithLine() -> String {
        var lines = costs.components(separatedBy: "\n")
        let line = "\(name) \(StageTemplate.cost)"
        let after = lines.firstIndex { !$0.isEmpty && !$0.hasPrefix("#") && $0 > line }
        lines.insert(line, at: after ?? lines.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? lines.endIndex)
        return lines.joined(separator: "\n")
    }

    /// `text` with another element in the list that begins on the line with `marker`, in alphabetical order. An element
    /// begins where a letter follows the indent; any other line belongs to the one above.
    private static func adding(
        _ element: String, to marker: String, indent: String, in text: String
    ) throws(Problem) -> String {
        let lines = text.components(separatedBy: "\n")
        guard let start = lines.firstIndex(where: { $0.hasSuffix(marker) }),
            let end = lines[start...].firstIndex(where: { $0.hasPrefix(indent.dropLast(4) + "]") })
        else { throw Problem(text: "there is no list '\(marker)' to add to") }
        var elements: [String] = []
        for line in lines[(start + 1)..<end] {
            let isNext = line.hasPrefix(indent) && line.dropFirst(indent.count).first?.isLetter == true
            if let last = elements.popLast() {
                elements += isNext ? [last, line] : [last + "\n" + line]
            } else {
                elements = [line]
            }
        }
        elements = elements.map { $0.hasSuffix(",") ? String($0.dropLast()) : $0 } + [indent + element]
        return (lines[...start] + elements.sorted().map { $0 + "," } + lines[end...]).joined(separator: "\n")
    }
}
