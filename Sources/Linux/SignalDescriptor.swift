import CLinux
import Glibc

/// Signals as events: a signalfd for the given signals, which are blocked in this thread and those it starts later.
///
/// Made first thing in `main`, before any other thread is there, so that none is ended by them.
package struct SignalDescriptor: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    package init(_ signals: [CInt] = [SIGTERM, SIGINT, SIGHUP]) throws(Errno) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in signals { try Errno.check(unsafe sigaddset(&set, number), "sigaddset") }
        let error = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        guard error == 0 else { throw Errno(error, call: "pthread_sigmask") }
        // An ignored signal is thrown away before it could be read, and a shell's background job begins with SIGINT
        // ignored.
        for number in signals { signal(number, SIG_DFL) }
        let flags = CInt(SFD_CLOEXEC | SFD_NONBLOCK)
        descriptor = try FileDescriptor(unsafe signalfd(-1, &set, flags), "signalfd")
    }

    /// For `Epoll.add`.
    package var rawValue: CInt { descriptor.rawValue }

    /// The next signal that has come, nil when there is none.
    package func next() -> CInt? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe Glibc.read(descriptor.rawValue, &info, size) == size else { return nil }
        return CInt(bitPattern: info.ssi_signo)
    }
}
