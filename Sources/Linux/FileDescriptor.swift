import Glibc

/// An open descriptor with one owner, closed when the owner lets go of it.
package struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for a call to the kernel. It is open for as long as this value lives.
    package let rawValue: CInt

    /// Takes an open descriptor over.
    package init(owning rawValue: CInt) { self.rawValue = rawValue }

    /// Takes over what a call has returned that says -1 for failure.
    package init(_ result: CInt, _ call: String) throws(Errno) {
        rawValue = try Errno.check(result, call)
    }

    deinit { close(rawValue) }

    /// Gives up ownership: the number stays open and is the caller's to close.
    package consuming func release() -> CInt {
        let number = rawValue
        discard self
        return number
    }

    /// `open(2)` with O_CLOEXEC.
    package static func open(_ path: String, _ flags: CInt = O_RDONLY) throws(Errno) -> FileDescriptor {
        try FileDescriptor(unsafe Glibc.open(path, flags | O_CLOEXEC), "open \(path)")
    }

    /// Another descriptor of the same open file, closed on exec.
    package borrowing func duplicate() throws(Errno) -> FileDescriptor {
        try FileDescriptor(fcntl(rawValue, F_DUPFD_CLOEXEC, 0), "fcntl F_DUPFD_CLOEXEC")
    }

    package func setNonblocking() throws(Errno) {
        let flags = try Errno.check(fcntl(rawValue, F_GETFL), "fcntl")
        try Errno.check(fcntl(rawValue, F_SETFL, flags | O_NONBLOCK), "fcntl")
    }

    /// Reads up to `buffer.count` bytes; 0 at the end. A signal does not end it.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = unsafe Glibc.read(rawValue, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw Errno.last("read") }
        }
    }

    /// Writes up to `buffer.count` bytes and says how many. A signal does not end it.
    package func write(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = unsafe Glibc.write(rawValue, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw Errno.last("write") }
        }
    }
}
