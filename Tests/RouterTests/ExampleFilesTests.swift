import Configuration
import Foundation
import Pipeline
import Router
import Support
import Testing

/// Files that people are shown are files that can be used.
@Suite struct ExampleFilesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Everything between ```yaml and ``` in a page.
    private static func blocks(_ page: String) -> [String] {
        page.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```\n").first }
    }

    /// Loads it, and holds it to the schema too; its warnings.
    @discardableResult
    private static func check(_ file: String, _ bytes: [UInt8]) throws -> ConfigurationReport? {
        let source = SourceText(file: file, bytes: bytes)
        var warnings: ConfigurationReport?
        #expect(throws: Never.self, "\(file)") {
            warnings = try ConfigurationFile.load(source, stages: StageRegistry.schemas).warnings
        }
        let value = try #require(YAMLParser.parse(source, Diagnostics()))
        let problems = SchemaValidator(RouterSchema.schema(stages: StageRegistry.schemas)).problems(of: value)
        #expect(problems == [], "\(file)")
        return warnings
    }

    private static func files(in folder: String, _ isWanted: (URL) -> Bool) throws -> [URL] {
        let files = FileManager.default.enumerator(
            at: root.appending(path: folder), includingPropertiesForKeys: nil)
        return try #require(files).compactMap { $0 as? URL }.filter(isWanted)
    }

    @Test func everyFileInAREADMECanBeLoadedAndIsWhatWasMeant() throws {
        let stages = try Self.files(in: "Plugins") { $0.lastPathComponent == "README.md" }
            .filter { !$0.path.hasSuffix("Plugins/README.md") }
        #expect(!stages.isEmpty)
        for page in [Self.root.appending(path: "README.md")] + stages {
            let blocks = Self.blocks(try String(contentsOf: page, encoding: .utf8))
            #expect(!blocks.isEmpty, "\(page.path) shows no file")
            for block in blocks {
                let warnings = try Self.check("\(page.path).yaml", Array(block.utf8))
                #expect(warnings?.isEmpty == true, "\(page.path)")
            }
        }
    }

    @Test func everyFileOfEtcCanBeLoaded() throws {
        let files = try Self.files(in: "etc") { $0.pathExtension == "yaml" }
        #expect(files.count >= 3, "router.yaml and the examples")
        for file in files { try Self.check(file.path, Array(try Data(contentsOf: file))) }
    }
}
