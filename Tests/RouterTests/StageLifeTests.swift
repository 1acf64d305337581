import Pipeline
import Router
import StageTestKit
import Testing

/// Every stage that is registered, by itself, through lives by chance.
@Suite struct StageLifeTests {
    private static let plugins = StageRegistry.plugins.filter { $0.make != nil }.map(\.name)

    private static let seeds = 0..<UInt64(10)

    private static func schema(_ name: String) throws -> StageSchema {
        try #require(StageRegistry.plugins.first { $0.name == name })
    }

    @Test(arguments: plugins, seeds)
    func `a stage loses nothing, whatever happens to it, and when it leaves`(_ name: String, _ seed: UInt64) throws {
        try StageLife.live(try Self.schema(name), seed: seed)
    }

    @Test func `some of those lives end with packets held by a limit that leaves, and with quotas that were used`()
        throws
    {
        let schema = try Self.schema("rate-limit")
        let lives = try Self.seeds.map { try StageLife.live(schema, seed: $0) }
        #expect(lives.contains { $0.released > 0 } && lives.contains { $0.remembered > 0 })
    }
}
