import Configuration
import Foundation
import Router
import Testing

/// Files that people are shown are files that can be used.
@Suite struct ExampleFilesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Everything between ```yaml and ``` in a page.
    private static func blocks(_ page: String) -> [String] {
        page.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```\n").first }
    }

    @Test func everyFileInTheREADMECanBeLoaded() throws {
        let blocks = Self.blocks(try Self.text("README.md"))
        #expect(!blocks.isEmpty)
        for block in blocks {
            let source = SourceText(file: "README.md", bytes: Array(block.utf8))
            #expect(throws: Never.self) { try ConfigurationFile.load(source, stages: StageRegistry.schemas) }
        }
    }

    @Test func everyFileInTheManualOfAStageCanBeLoaded() throws {
        let plugins = try FileManager.default.contentsOfDirectory(
            at: Self.root.appending(path: "Plugins"), includingPropertiesForKeys: [.isDirectoryKey]
        ).filter(\.hasDirectoryPath).map(\.lastPathComponent).sorted()
        for plugin in plugins {
            let path = "Plugins/\(plugin)/README.md"
            let blocks = Self.blocks(try Self.text(path))
            #expect(!blocks.isEmpty, "\(path)")
            for block in blocks {
                let source = SourceText(file: "\(plugin).yaml", bytes: Array(block.utf8))
                #expect(throws: Never.self, "\(path)") {
                    let loaded = try ConfigurationFile.load(source, stages: StageRegistry.schemas)
                    #expect(loaded.warnings.isEmpty, "\(loaded.warnings)")
                }
            }
        }
    }

    @Test func everyFileOfEtcCanBeLoaded() throws {
        let etc = Self.root.appending(path: "etc")
        let files = try #require(FileManager.default.enumerator(at: etc, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "yaml" }
        #expect(files.count >= 3, "router.yaml and the examples")
        for file in files {
            let source = SourceText(file: file.path, bytes: Array(try Data(contentsOf: file)))
            #expect(throws: Never.self, "\(file.path)") {
                try ConfigurationFile.load(source, stages: StageRegistry.schemas)
            }
        }
    }
}
