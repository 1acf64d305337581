import Foundation
import Testing

/// What Plugins/README.md shows is what is compiled.
struct WalkthroughTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test func `each block of code stands in a file as it is`() throws {
        // What dscp has not is shown of the stage that `fullbore stage new` begins, a text within its source.
        let template = try Self.text("Sources/fullbore/StageTemplate.swift").components(separatedBy: "\n")
            .map { $0.hasPrefix("        ") ? String($0.dropFirst(8)) : $0 }.joined(separator: "\n")
        let files = try ["Plugins/DSCP/DSCP.swift", "Tests/DSCPTests/DSCPTests.swift"].map(Self.text) + [template]
        let blocks = try Self.text("Plugins/README.md").components(separatedBy: "```swift\n").dropFirst()
        #expect(blocks.count == 9)
        for block in blocks.compactMap({ $0.components(separatedBy: "```\n").first }) {
            #expect(files.contains { $0.contains(block) }, "\(block)")
        }
    }

    @Test func `the smallest stage is under 60 lines`() throws {
        #expect(
            try Self.text("Plugins/DSCP/DSCP.swift").split(separator: "\n", omittingEmptySubsequences: false).count < 60
        )
    }
}
