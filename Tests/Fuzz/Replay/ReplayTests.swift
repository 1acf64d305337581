import Foundation
import FuzzBodies
import Testing

/// What the fuzzer has found, and what it begins with, once more: a finding that comes back ends the test process.
@Suite struct ReplayTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    private func inputs(_ kind: String, _ target: FuzzTarget) throws -> [URL] {
        let folder = Self.folder.appending(path: kind).appending(path: target.rawValue)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    }

    @Test(arguments: FuzzTarget.allCases) func corpus(_ target: FuzzTarget) throws {
        let inputs = try inputs("corpus", target)
        #expect(!inputs.isEmpty, "a target has seeds")
        for input in inputs { target.run([UInt8](try Data(contentsOf: input))) }
    }

    @Test(arguments: FuzzTarget.allCases) func crashes(_ target: FuzzTarget) throws {
        for input in try inputs("crashes", target) { target.run([UInt8](try Data(contentsOf: input))) }
    }

    /// Every folder of inputs belongs to a target.
    @Test(arguments: ["corpus", "crashes"]) func foldersAreTargets(kind: String) throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.appending(path: kind).path)
        let names = Set(FuzzTarget.allCases.map(\.rawValue))
        #expect(folders.filter { !$0.hasPrefix(".") && $0 != "README.md" }.allSatisfy(names.contains))
    }
}
