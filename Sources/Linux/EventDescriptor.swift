import CLinux
import Glibc

/// Wakes a loop from another thread: an eventfd, which many signals before one `clear` make ready once.
package struct EventDescriptor: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    package init() throws(Errno) {
        descriptor = try FileDescriptor(eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)), "eventfd")
    }

    /// For `Epoll.add`.
    package var rawValue: CInt { descriptor.rawValue }

    /// Makes the descriptor readable. From any thread; never blocks.
    package func signal() {
        // Fails only when 2^64 - 2 signals wait, and then it is readable as it is.
        _ = eventfd_write(descriptor.rawValue, 1)
    }

    /// Makes it not readable any more; true when there was a signal.
    @discardableResult
    package func clear() -> Bool {
        var value: eventfd_t = 0
        return unsafe eventfd_read(descriptor.rawValue, &value) == 0
    }
}
