import Pipeline
import StageTestKit
import Testing

struct StageLifeTests {
    @Test(arguments: 0..<UInt64(8))
    func `a stage that holds packets and does it right lives long`(_ seed: UInt64) throws {
        try StageLife.live(Hold.schema(.none), seed: seed)
    }

    @Test(arguments: [Hold.Fault.lose, .keep, .owe], 0..<UInt64(3))
    func `a stage that does it wrong is found out`(_ fault: Hold.Fault, _ seed: UInt64) throws {
        let complaints = Complaints()
        try StageLife.live(Hold.schema(fault), seed: seed) { text, _ in complaints.texts.append(text) }
        #expect(!complaints.texts.isEmpty)
    }

    private final class Complaints { var texts: [String] = [] }
}
