import Pipeline
import StageTestKit
import Testing

struct StageLifeTests {
    private static let seeds = 0..<UInt64(8)

    @Test(arguments: seeds)
    func `a stage that holds packets and does it right lives long`(_ seed: UInt64) throws {
        try StageLife.live(Hold.schema(.none), seed: seed)
    }

    @Test func `some of those lives end with packets held in a stage that leaves`() throws {
        #expect(try Self.seeds.contains { try StageLife.live(Hold.schema(.none), seed: $0).released > 0 })
    }

    @Test(arguments: [Hold.Fault.lose, .keep, .owe], 0..<UInt64(3))
    func `a stage that does it wrong is found out`(_ fault: Hold.Fault, _ seed: UInt64) throws {
        let complaints = Complaints()
        try StageLife.live(Hold.schema(fault), seed: seed) { text, _ in complaints.texts.append(text) }
        #expect(!complaints.texts.isEmpty)
    }

    /// Half of the lives end otherwise.
    @Test(arguments: [Hold.Fault.take, .drop])
    func `a stage that loses packets when it leaves is found out`(_ fault: Hold.Fault) throws {
        let complaints = Complaints()
        for seed in Self.seeds {
            try StageLife.live(Hold.schema(fault), seed: seed) { text, _ in complaints.texts.append(text) }
        }
        #expect(complaints.texts.contains { $0.contains(fault == .take ? "has left and kept" : "when it left") })
    }

    @Test(
        arguments: zip(
            [Hold.Fault.spoil, .reverse, .mistake],
            ["went in sound, and has a wrong transport checksum", "of the same flow", "came out as one of"]))
    func `a stage that spoils packets, or what is said of them, is found out`(_ fault: Hold.Fault, _ account: String)
        throws
    {
        let complaints = Complaints()
        for seed in Self.seeds {
            try StageLife.live(Hold.schema(fault), seed: seed) { text, _ in complaints.texts.append(text) }
        }
        #expect(complaints.texts.contains { $0.contains(account) })
    }

    private final class Complaints { var texts: [String] = [] }
}
