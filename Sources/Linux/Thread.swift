import CLinux
import Glibc
import Wire

/// A thread of the operating system, which runs one closure to its end.
///
/// Swift's task pool is for work that yields; a worker's loop blocks in epoll and needs a thread of its own.
@safe package struct Thread: ~Copyable, @unchecked Sendable {  // Sendable: a pthread_t may be joined from any thread
    /// 1 MiB, of which only what is touched is committed.
    package static let defaultStackSize = 1 << 20

    private let handle: pthread_t

    /// Starts a thread called `name` (of which the kernel keeps 15 bytes) with every signal blocked.
    package init(
        name: String, stackSize: Int = Thread.defaultStackSize, _ body: @escaping @Sendable () -> Void
    ) throws(Errno) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        let refused = unsafe pthread_attr_setstacksize(&attributes, stackSize)
        guard refused == 0 else { throw Errno(refused, call: "pthread_attr_setstacksize") }

        // A new thread inherits the mask: signals are for the thread that has the SignalDescriptor.
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let error = unsafe pthread_create(
            &handle, &attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                _ = unsafe clinux_name_this_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard error == 0 else {
            unsafe start.release()
            throw Errno(error, call: "pthread_create")
        }
        self.handle = handle
    }

    /// Waits until the closure has ended.
    package consuming func join() {
        pthread_join(handle, nil)
        discard self
    }

    /// Makes the calling thread nicer to others by `niceness`, 0 to 19; what the scheduler makes of it is its affair.
    package static func lowerPriority(by niceness: CInt) {
        // On Linux a thread's own affair, and who 0 is the calling thread (setpriority(2)).
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
    }

    /// Asks for the calling thread to be let on soon when it wakes, for as long as it does not run longer than `slice` at a
    /// time, 0.1 to 100 ms: on a busy machine it waits less, and gets no more than its share (EEVDF, Linux 6.12).
    package static func preferLatency(slice: Interval) {
        // Where it cannot be had things are as they were.
        _ = clinux_set_slice(slice.nanoseconds)
    }

    /// A thread that nobody joins ends on its own.
    deinit { pthread_detach(handle) }

    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
            self.body = body
        }
    }
}
