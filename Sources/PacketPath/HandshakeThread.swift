import Linux
import Synchronization

/// What lets a desk work on a thread of its own, at a lower priority than the packet path has.
package final class HandshakeThread: Sendable {
    /// So much nicer than the workers: under load packets go first, and a handshake waits for some milliseconds.
    private static let niceness: CInt = 10

    private let bell: Doorbell
    private let isStopped = Atomic(false)

    package init() throws(Errno) { bell = try Doorbell() }

    /// For the desk.
    package func wake() { bell.ring() }

    package func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Works until `stop`.
    package func run(_ desk: HandshakeDesk) {
        Thread.lowerPriority(by: Self.niceness)
        while !isStopped.load(ordering: .acquiring) {
            if !desk.work(Clocks.now()) { bell.wait() }
        }
    }
}
