import PacketPath
import Pipeline
import Router
import StageTestKit
import Testing

/// What a stage declares is what it does: nothing that people and programs are told of can drift.
@Suite struct StageDeclarationTests {
    @Test func `every core stage reports the counters and drops that it declares, and no others`() throws {
        let world = try World()
        let router = try MemoryRouter(world, at: ["192.0.2.1"], GoldenPathTests.file("a", peers: "          {}"))
        let reports = Dictionary(uniqueKeysWithValues: try #require(router.workers.first).reports.map { ($0.0, $0.1) })
        let core = StageRegistry.schemas.filter { reports[$0.name] != nil }
        #expect(core.map(\.name) == StageOrder.core)
        for stage in core { Self.compare(try #require(reports[stage.name]), stage.declaration) }
    }

    @Test(arguments: StageRegistry.plugins.filter { $0.make != nil }.map(\.name))
    func `every plugin reports the counters and drops that it declares, and no others`(_ name: String) throws {
        let schema = try #require(StageRegistry.plugins.first { $0.name == name })
        let make = try #require(schema.make)
        let options = try schema.options.map { try RandomOptions.simplest($0, of: name) } ?? nil
        let environment = StageEnvironment(pool: BufferPool(), now: .benchStart)
        Self.compare(make(options, environment).report, schema.declaration)
    }

    private static func compare(_ report: StageReport, _ declaration: StageDeclaration) {
        #expect(Set(report.counters.map(\.name)) == Set(declaration.counters.map(\.name)), "\(declaration.name)")
        #expect(Set(report.drops.map(\.name)) == Set(declaration.drops), "\(declaration.name)")
    }

    @Test func `every option of every stage says what it does, and every counter what it counts`() {
        for stage in StageRegistry.schemas {
            let shapes = [stage.options?.shape, stage.peerOptions?.shape].compactMap(\.self)
            #expect(shapes.flatMap(Self.keys).filter(\.help.isEmpty).map(\.name) == [], "\(stage.name)")
            #expect(stage.declaration.counters.allSatisfy { !$0.meaning.isEmpty }, "\(stage.name)")
        }
    }

    private static func keys(_ shape: OptionShape) -> [OptionKey] {
        switch shape {
        case .truth, .whole, .words, .text: []
        case .list(let element), .names(_, let element): keys(element)
        case .record(let found): found + found.flatMap { keys($0.shape) }
        case .either(let shapes, _): shapes.flatMap(keys)
        }
    }
}
