import Testing

@testable import Linux

@Suite struct CoreWaitTests {
    @Test(
        arguments: [
            ("123 456 7\n", 456), ("0 0 0\n", 0), ("18446744073709551615 18446744073709551615 1", UInt64.max),
            ("", nil), ("1 2", nil), ("1 x 3", nil), ("1 18446744073709551616 3", nil),
        ] as [(String, UInt64?)]) func theSecondNumberIsTheTimeWaited(line: String, waited: UInt64?)
    {
        let found = CoreWait.waited(in: line)
        #expect(found == waited)
    }

    @Test func theKernelTellsOfThisThread() throws {
        let wait = try CoreWait()
        let first = wait.nanoseconds()
        let second = wait.nanoseconds()
        let before = try #require(first)
        let after = try #require(second)
        #expect(after >= before)
    }
}
