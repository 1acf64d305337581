import Glibc
import Linux

/// Stream sockets with a path.
enum UnixSocket {
    private static let backlog: CInt = 16

    /// One that is connected to whoever listens at `path`; ECONNREFUSED or ENOENT when nobody does.
    static func connect(_ path: String) throws(Errno) -> FileDescriptor {
        let socket = try open()
        try unsafe withAddress(path) { address, length throws(Errno) in
            _ = try unsafe Errno.check(Glibc.connect(socket.rawValue, address, length), "connect")
        }
        return socket
    }

    /// A listening one that only its owner may connect to. One that is left of a program that is gone is replaced;
    /// EADDRINUSE when somebody listens there.
    static func listen(_ path: String) throws(Errno) -> FileDescriptor {
        if let _ = try? connect(path) { throw Errno(EADDRINUSE, call: "bind") }
        unsafe unlink(path)
        let socket = try open()
        // The file is made with the mode of the socket (net/unix/af_unix.c, unix_bind_bsd). Not by umask, which is the whole
        // process's: another thread may be making files.
        try Errno.check(fchmod(socket.rawValue, 0o700), "fchmod")
        try unsafe withAddress(path) { address, length throws(Errno) in
            _ = try unsafe Errno.check(bind(socket.rawValue, address, length), "bind")
        }
        _ = try Errno.check(Glibc.listen(socket.rawValue, backlog), "listen")
        return socket
    }

    /// Where a bound socket is; EINVAL for one that is nowhere.
    static func path(of socket: borrowing FileDescriptor) throws(Errno) -> String {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(socket.rawValue, $0, &size)
            }
        }
        try Errno.check(result, "getsockname")
        let path = unsafe withUnsafeBytes(of: &address.sun_path) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard address.sun_family == sa_family_t(AF_UNIX), !path.isEmpty else {
            throw Errno(EINVAL, call: "UAPI socket")
        }
        return path
    }

    private static func open() throws(Errno) -> FileDescriptor {
        try FileDescriptor(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
    }

    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw Errno(ENAMETOOLONG, call: path) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        // withMemoryRebound cannot pass a typed error on.
        let outcome: Swift.Result<Result, Errno> = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                do throws(Errno) { return .success(try unsafe body(address, length)) } catch { return .failure(error) }
            }
        }
        return try outcome.get()
    }
}
