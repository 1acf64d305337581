import Configuration
import Foundation
import Pipeline
import Support
import Testing

/// The schema and the reader of files are of one mind: nothing is written down twice, and this is where it would show.
struct SchemaTests {
    private let validator = SchemaValidator(RouterSchema.schema(stages: Fixtures.stages))

    private func problems(_ text: String) throws -> [String] {
        let diagnostics = Diagnostics()
        let source = SourceText(file: "router.yaml", bytes: Array(text.utf8))
        let value = try #require(YAMLParser.parse(source, diagnostics), "this is YAML")
        return validator.problems(of: value)
    }

    @Test func `the specification's example is valid`() throws {
        #expect(try problems(Fixtures.router) == [])
    }

    /// What parts of a file have to do with each other, and what a value means, only the reader knows.
    private static let onlyTheReaderKnows: Set<String> = [
        "no interface among the interfaces", "an order that cannot work", "a pipeline without a core stage",
        "an instance name with a folder", "an interface name that Linux reserves",
        "an endpoint without brackets", "an endpoint behind itself", "a standby rank",
        "an address that no interface can have", "a wrong address", "a wrong prefix length", "a public key of zeros",
        "a credential with a folder", "two peers with one prefix", "two peers with one public key",
        "two peers with one prefix and different ranks, which is only not supported yet",
        "two interfaces with one port", "two interfaces that route one prefix",
        "two interfaces with overlapping addresses", "one address twice",
        "a default route by the main table's number", "IPv6 over an MTU that is too small for it",
    ]

    @Test(arguments: ErrorTests.sections + ErrorTests.values + ErrorTests.keys + ErrorTests.conflicts)
    func `what the reader refuses for its structure the schema refuses`(_ test: ErrorTests.Case) throws {
        let problems = try problems(test.text)
        #expect(problems.isEmpty == Self.onlyTheReaderKnows.contains(test.testDescription), "\(problems)")
    }

    @Test(arguments: 0..<UInt64(8))
    func `what the reader takes is valid, whatever was done to it`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var loaded = 0
        for _ in 0..<100 {
            let bytes = MutationTests.mutate(Array(Fixtures.router.utf8), &random, edits: 1...2)
            guard case .success(let configuration) = Fixtures.load(bytes: bytes) else { continue }
            loaded += 1
            let value = try #require(YAMLParser.parse(configuration.source, Diagnostics()))
            let problems = validator.problems(of: value)
            #expect(problems == [], "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(loaded > 5)
    }

    @Test(arguments: ["aliases", "flow-and-tags", "router", "unknown-key"])
    func `the files that fuzzing starts from are judged alike`(_ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let bytes = Array(try Data(contentsOf: folder.appending(path: "Fuzz/corpus/yaml/\(name)")))
        let source = SourceText(file: "router.yaml", bytes: bytes)
        let loads = (try? ConfigurationFile.load(source, stages: Fixtures.stages)) != nil
        let value = YAMLParser.parse(source, Diagnostics())
        let problems = value.map { validator.problems(of: $0) } ?? ["no YAML"]
        #expect(problems.isEmpty == loads, "\(problems)")
    }
}
