import Glibc

/// Wakes a thread that waits for it, from any other thread; rings that nobody has waited for yet are one ring.
package final class Doorbell: Sendable {
    private let descriptor: EventDescriptor

    package init() throws(Errno) { descriptor = try EventDescriptor() }

    /// For `poll` beside other descriptors; `clear` then.
    package var rawValue: CInt { descriptor.rawValue }

    package func ring() { descriptor.signal() }

    package func clear() { _ = descriptor.clear() }

    /// Returns at the next ring, or at once if it has rung since the last time.
    package func wait() {
        var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&waiting, 1, -1)
        clear()
    }
}
