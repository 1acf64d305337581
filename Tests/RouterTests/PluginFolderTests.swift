import Foundation
import Pipeline
import Router
import Testing

/// A folder under Plugins is a stage that people can find, read about and use: all of it is there, or this fails.
@Suite struct PluginFolderTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let folders: [String] = {
        let plugins = root.appending(path: "Plugins")
        let found = try? FileManager.default.contentsOfDirectory(
            at: plugins, includingPropertiesForKeys: [.isDirectoryKey])
        return (found ?? []).filter { (try? $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) == true }
            .map(\.lastPathComponent).sorted()
    }()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func page(_ folder: String) throws -> String { try text("Plugins/\(folder)/README.md") }

    /// What stands under a heading of the second level.
    private static func section(_ name: String, of page: String) throws -> String {
        let parts = page.components(separatedBy: "\n## ")
        return try #require(parts.first { $0.hasPrefix("\(name)\n") }, "a section \(name)")
    }

    private static func schema(_ folder: String) throws -> StageSchema {
        let title = try #require(try page(folder).split(separator: "\n").first)
        return try #require(
            StageRegistry.plugins.first { "# \($0.name)" == title }, "\(title) is no stage of the registry")
    }

    @Test func `there are plugins, and as many as are registered`() {
        #expect(!Self.folders.isEmpty)
        #expect(Self.folders.count == StageRegistry.plugins.count)
    }

    @Test(arguments: folders)
    func `Package swift has its lines, alphabetical among the others`(_ folder: String) throws {
        let package = try Self.text("Package.swift")
        #expect(package.contains("plugin(\"\(folder)\""))
        #expect(package.contains("tests(\"\(folder)\"") || package.contains("tests(\n            \"\(folder)\""))
        let listed = package.matches(of: /plugin\("([A-Za-z0-9]+)"/).map { String($0.output.1) }
        #expect(listed == listed.sorted())
    }

    @Test(arguments: folders)
    func `the registry has its line`(_ folder: String) throws {
        let registry = try Self.text("Sources/Router/StageRegistry.swift")
        #expect(registry.contains("import \(folder)\n"))
        let list = try #require(registry.components(separatedBy: "static let plugins").last)
        #expect(list.contains(folder))
    }

    @Test(arguments: folders)
    func `its README has every section, in order`(_ folder: String) throws {
        let headings = try Self.page(folder).split(separator: "\n").filter { $0.hasPrefix("## ") }.map(String.init)
        #expect(headings == ["## Name", "## Description", "## Configuration", "## Examples", "## Counters"])
        #expect(try Self.section("Examples", of: Self.page(folder)).contains("```yaml\nfullbore: 1\n"))
    }

    @Test(arguments: folders)
    func `its README names every option, counter and reason of drops`(_ folder: String) throws {
        let (page, schema) = (try Self.page(folder), try Self.schema(folder))
        let configuration = try Self.section("Configuration", of: page)
        for options in [schema.options, schema.peerOptions, schema.groupOptions] {
            for name in options.map({ Self.keys($0.shape) }) ?? [] {
                #expect(configuration.contains("`\(name)`"), "\(name)")
            }
        }
        let counters = try Self.section("Counters", of: page)
        for name in schema.declaration.counters.map(\.name) + schema.declaration.drops {
            #expect(counters.contains("`\(name)`"), "\(name)")
        }
    }

    /// The keys that may stand anywhere in it.
    private static func keys(_ shape: OptionShape) -> [String] {
        switch shape {
        case .record(let keys): keys.flatMap { [$0.name] + Self.keys($0.shape) }
        case .either(let shapes, _): shapes.flatMap(keys)
        case .list(let element), .names(_, let element): keys(element)
        case .truth, .whole, .words, .text: []
        }
    }

    @Test func `a key is found wherever it stands`() {
        func key(_ name: String, _ shape: OptionShape = .truth) -> OptionKey {
            OptionKey(name: name, shape: shape, isRequired: false)
        }
        let several = OptionShape.either([.truth, .record([key("b", .list(.record([key("c")])))])])
        #expect(
            Self.keys(.record([key("a", several), key("d", .names(pattern: "", .record([key("e")])))])) == [
                "a", "b", "c", "d", "e",
            ])
    }
}
