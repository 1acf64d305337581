import PacketPath
import Pipeline
import Testing

@Suite struct DefaultOrderTests {
    @Test func `the core stages are those that every file must have, in an order that works`() {
        #expect(coreStages.map(\.name) == StageOrder.core)
        #expect(StageOrder.problems(of: coreStages).isEmpty)
    }
}
