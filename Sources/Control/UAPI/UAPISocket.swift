import Glibc
import Linux

/// Where an interface's UAPI is served: `/var/run/wireguard/IFNAME.sock`, which is where `wg` looks.
///
/// The folder is shared by all network namespaces that have one file system: two interfaces of one name need a /run
/// each.
package final class UAPISocket: Sendable {
    package static let defaultDirectory = "/var/run/wireguard"

    package let interface: String
    package let path: String
    /// Where the path is.
    package var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
    let listener: FileDescriptor
    /// What the path was when it became ours; nil for a socket that came without one.
    private let place: Place?

    private struct Place: Hashable, Sendable {
        let device: dev_t
        let inode: ino_t

        init?(_ path: String) {
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    /// Listens from here on; EADDRINUSE when another process serves an interface of the name.
    package init(interface: String, directory: String = UAPISocket.defaultDirectory) throws(Errno) {
        self.interface = interface
        path = "\(directory)/\(interface).sock"
        guard unsafe mkdir(directory, 0o755) == 0 || errno == EEXIST else { throw Errno.last("mkdir \(directory)") }
        listener = try UnixSocket.listen(path)
        // A client that is gone before it is accepted must not hold up the others.
        try listener.setNonblocking()
        place = Place(path)
    }

    /// Takes over a socket that listens already, wherever that is.
    package init(interface: String, listening descriptor: consuming FileDescriptor) throws(Errno) {
        self.interface = interface
        path = try UnixSocket.path(of: descriptor)
        var isListening: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        let number = descriptor.rawValue
        try Errno.check(unsafe getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size), "getsockopt")
        guard isListening != 0 else { throw Errno(EINVAL, call: "UAPI socket") }
        try Errno.check(fcntl(number, F_SETFD, FD_CLOEXEC), "fcntl")
        listener = descriptor
        try listener.setNonblocking()
        place = Place(path)
    }

    /// Whether the path is this socket no longer. Whoever unlinks it wants the interface gone.
    package var isUnlinked: Bool { place != nil && Place(path) != place }

    /// A descriptor that becomes readable when something happens to the path: `isUnlinked` may be so then.
    package func watch() throws(Errno) -> FileDescriptor {
        let watch = try FileDescriptor(inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK)), "inotify_init1")
        // A socket that is open keeps its inode when it is unlinked, and loses a link: an attribute.
        let events = UInt32(IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
        try Errno.check(unsafe inotify_add_watch(watch.rawValue, path, events), "inotify_add_watch")
        return watch
    }

    /// Takes the socket out of the file system, unless the path is somebody else's by now.
    package func remove() { if let place, Place(path) == place { unsafe unlink(path) } }

    /// A start that fails half-way leaves no socket behind.
    deinit { remove() }
}
