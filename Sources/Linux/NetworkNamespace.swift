import CLinux
import Glibc

/// A network namespace, held open: links, addresses, routes and sockets of its own.
///
/// A thread is in one, and a socket belongs for ever to the one that its thread was in when it was made.
package struct NetworkNamespace: ~Copyable, Sendable {
    let descriptor: FileDescriptor

    /// The one that an open descriptor stands for.
    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The one that the calling thread is in.
    package init() throws(Errno) { descriptor = try FileDescriptor.open("/proc/thread-self/ns/net") }

    /// The same number for the same namespace, while it is held open.
    package var inode: UInt64 {
        var status = stat()
        return unsafe fstat(descriptor.rawValue, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    /// Moves the calling thread into this one.
    package func enter() throws(Errno) {
        try Errno.check(clinux_enter_network(descriptor.rawValue), "setns")
    }

    /// Moves the calling thread, and no other, into a new one with nothing but a loopback that is down.
    package static func unshare() throws(Errno) {
        try Errno.check(clinux_unshare_network(), "unshare")
    }
}
