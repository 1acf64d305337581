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
    func connect() throws(Errno) -> FileDescriptor { try UnixSocket.connect(path) }

    /// A listening socket that only its owner may connect to. One that is left of a router that is gone is replaced;
    /// EADDRINUSE when a router of the name is running.
    func listen() throws(Errno) -> FileDescriptor {
        try makeDirectory()
        return try UnixSocket.listen(path)
    }

    /// Takes back what `listen` left in the file system.
    func remove() {
        unsafe unlink(path)
        unsafe rmdir(directory)
    }

    /// Makes the folder and the one above it, as far as they are missing.
    private func makeDirectory() throws(Errno) {
        let above = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
        for folder in [above, directory] where unsafe mkdir(folder, 0o755) != 0 && errno != EEXIST {
            throw Errno.last("mkdir \(folder)")
        }
    }
}
