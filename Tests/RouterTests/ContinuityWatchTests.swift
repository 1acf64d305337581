import Glibc
import Linux
import Locking
import Testing
import Wire

@testable import Router

/// A break in a machine's life, told by a source of the test's.
@Suite struct ContinuityWatchTests {
    private struct Scripted: ContinuityWatch.Source, ~Copyable {
        let bell: Doorbell
        var left: [[ContinuityWatch.Break]]

        var descriptors: [CInt] { [bell.rawValue] }

        mutating func breaks() -> [ContinuityWatch.Break] {
            bell.clear()
            return left.isEmpty ? [] : left.removeFirst()
        }
    }

    @Test(.timeLimit(.minutes(1))) func eachBreakIsToldOnce() throws {
        let watch = try ContinuityWatch()
        let bell = try Doorbell()
        let told = Guarded<[ContinuityWatch.Break]>([])
        bell.ring()
        watch.run(Scripted(bell: bell, left: [[.slept(.seconds(60)), .forked], [.forked]])) { event in
            told.withLock { $0.append(event) }
            if told.withLock({ $0.count }) == 3 { watch.stop() } else { bell.ring() }
        }
        #expect(told.withLock { $0 } == [.slept(.seconds(60)), .forked, .forked])
    }
}
