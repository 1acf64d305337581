import Pipeline
import Router
import StageTestKit
import Testing

/// Every stage that is registered, by itself, through lives by chance.
@Suite struct StageLifeTests {
    private static let plugins = StageRegistry.plugins.filter { $0.make != nil }.map(\.name)

    @Test(arguments: plugins, 0..<UInt64(10))
    func `a stage loses nothing, whatever happens to it`(_ name: String, _ seed: UInt64) throws {
        try StageLife.live(try #require(StageRegistry.plugins.first { $0.name == name }), seed: seed)
    }
}
