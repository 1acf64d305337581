import Glibc
import Linux

/// Where a router of a name listens: `/run/fullbore/NAME/control.sock`.
package struct ControlSocket: Sendable {
    package static let defaultRunDirectory = "/run/fullbore"

    package let directory: String
    package var path: String { directory + "/control.sock" }

    /// `runDirectory` is what `--run-dir` or FULLBORE_RUN_DIR moves `/run/fullbore` to.
    package init(router name: String, runDirectory: String) { directory = "\(runDirectory)/\(name)" }

    /// The names of the routers that have a socket below `runDirectory`, running or not, sorted.
    package static func routers(in runDirectory: String) -> [String] {
        guard let folder = unsafe opendir(runDirectory) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix("."), unsafe access("\(runDirectory)/\(name)/control.sock", F_OK) == 0 else {
                continue
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// A stream socket that is connected to the router; ECONNREFUSED or ENOENT when none is running.
    func connect() throws(Errno) -> FileDescriptor {
        let socket = try Self.open()
        try unsafe withAddress { address, length throws(Errno) in
            _ = try unsafe Errno.check(Glibc.connect(socket.rawValue, address, length), "connect")
        }
        return socket
    }

    /// A listening socket that only its owner may connect to. One that is left of a router that is gone is replaced;
    /// EADDRINUSE when a router of the name is running.
    func listen() throws(Errno) -> FileDescriptor {
        try makeDirectory()
        if let _ = try? connect() { throw Errno(EADDRINUSE, call: "bind") }
        unsafe unlink(path)
        let socket = try Self.open()
        let mask = umask(0o077)
        defer { umask(mask) }
        try unsafe withAddress { address, length throws(Errno) in
            _ = try unsafe Errno.check(bind(socket.rawValue, address, length), "bind")
        }
        _ = try Errno.check(Glibc.listen(socket.rawValue, Self.backlog), "listen")
        return socket
    }

    /// Takes back what `listen` left in the file system.
    func remove() {
        unsafe unlink(path)
        unsafe rmdir(directory)
    }

    private static let backlog: CInt = 16

    private static func open() throws(Errno) -> FileDescriptor {
        try FileDescriptor(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
    }

    /// Makes the folder and the one above it, as far as they are missing.
    private func makeDirectory() throws(Errno) {
        let above = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
        for folder in [above, directory] where unsafe mkdir(folder, 0o755) != 0 && errno != EEXIST {
            throw Errno.last("mkdir \(folder)")
        }
    }

    private func withAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
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
