import Support
import Testing

@testable import WireGuard

@Suite struct ReplayWindowTests {
    private static let limit = Protocol.rejectAfterMessages
    private static let size = UInt64(ReplayWindow.size)

    @Test func `P-4.2 the window is 8128 counters wide`() {
        #expect(ReplayWindow.size == 8128)
        var window = ReplayWindow()
        let newest = window.commit(100_000)
        let oldest = window.commit(100_000 - Self.size + 1)
        #expect(newest && oldest)
        let isAccepted = window.accepts(100_000 - Self.size)
        #expect(!isAccepted)
    }

    /// Counters in the order received, with whether each is to be taken: the edges of the window, both ends of the
    /// counter's range, and jumps by more than the window.
    @Test func `counters at every edge`() {
        let table: [(UInt64, Bool)] = [
            (0, true), (1, true), (1, false), (9, true), (8, true), (7, true), (7, false),
            (Self.size, true), (Self.size - 1, true), (Self.size - 1, false), (Self.size - 2, true), (2, true),
            (2, false),
            (Self.size + 16, true), (3, false), (Self.size + 16, false), (Self.size * 4, true),
            (Self.size * 4 - (Self.size - 1), true), (10, false), (Self.size * 4 - Self.size, false),
            (Self.size * 4 - (Self.size + 1), false), (Self.size * 4 - (Self.size - 2), true),
            (Self.size * 4 + 1 - Self.size, false),
            (0, false), (Self.limit, false), (Self.limit - 1, true), (Self.limit, false), (Self.limit - 1, false),
            (Self.limit - 2, true), (Self.limit + 1, false), (Self.limit + 2, false), (Self.limit - 2, false),
            (Self.limit - 3, true), (0, false), (UInt64.max, false),
        ]
        var window = ReplayWindow()
        for (step, (counter, expected)) in table.enumerated() {
            let isAccepted = window.accepts(counter)
            #expect(isAccepted == expected, "step \(step)")
            let committed = window.commit(counter)
            #expect(committed == expected, "step \(step)")
        }
    }

    @Test func `P-4.3 asking changes nothing`() {
        var window = ReplayWindow()
        let isAccepted = window.accepts(1 << 40)
        #expect(isAccepted)
        let committed = window.commit(0)
        #expect(committed)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `agrees with a set of everything seen`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var greatest: UInt64 = 0
        for _ in 0..<200_000 {
            let ahead = UInt64.random(in: 0..<1 << UInt64.random(in: 0...14, using: &random), using: &random)
            let behind = UInt64.random(in: 0..<10_000, using: &random)
            let counter = greatest + ahead < behind ? 0 : greatest + ahead - behind
            let expected =
                !seen.contains(counter) && (seen.isEmpty || counter + Self.size > greatest || counter > greatest)
            let committed = window.commit(counter)
            #expect(committed == expected)
            if expected {
                seen.insert(counter)
                greatest = max(greatest, counter)
            }
        }
    }
}
