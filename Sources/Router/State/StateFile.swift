import Glibc
import Linux

/// A file of a router's state directory, which is written as a whole.
struct StateFile: Sendable {
    /// A million peers' worth.
    private static let sizeBound = 128 << 20

    private let directory: String
    private let name: String
    var path: String { "\(directory)/\(name)" }

    init(stateDirectory: String, router: String, name: String) {
        directory = "\(stateDirectory)/\(router)"
        self.name = name
    }

    /// What was saved last; nothing where there is no file.
    func load() throws(Errno) -> [UInt8] {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(path)
        } catch {
            guard error.rawValue == ENOENT || error.rawValue == ENOTDIR else { throw error }
            return []
        }
        return try Self.contents(of: file)
    }

    /// Puts `text` in the place of what was saved, all or nothing.
    func save(_ text: String) throws(Errno) {
        try makeDirectory()
        let fresh = "\(path).new"
        let file = try FileDescriptor(
            unsafe Glibc.open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600), "open \(fresh)")
        try Self.write(Array(text.utf8), to: file)
        // Before the name changes hands: a crash leaves the old file or the whole new one.
        try Errno.check(fsync(file.rawValue), "fsync \(fresh)")
        try Errno.check(unsafe rename(fresh, path), "rename \(fresh)")
    }

    /// Makes the state directory, where there is none, while the router may still change what is above it. What cannot be made
    /// is told of when something is to be saved.
    func prepare() { _ = unsafe mkdir(above, 0o700) }

    /// The state directory, which routers share.
    private var above: String { directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "." }

    private func makeDirectory() throws(Errno) {
        for folder in [above, directory] where unsafe mkdir(folder, 0o700) != 0 && errno != EEXIST {
            throw Errno.last("mkdir \(folder)")
        }
    }

    private static func contents(of file: borrowing FileDescriptor) throws(Errno) -> [UInt8] {
        var status = stat()
        try Errno.check(unsafe fstat(file.rawValue, &status), "fstat")
        guard status.st_size <= sizeBound else { throw Errno(EFBIG, call: "read") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let outcome = unsafe bytes.withUnsafeMutableBytes { buffer in
                Result { () throws(Errno) in
                    try unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                }
            }
            let read = try outcome.get()
            guard read > 0 else { break }
            count += read
        }
        bytes.removeSubrange(count...)
        return bytes
    }

    private static func write(_ bytes: [UInt8], to file: borrowing FileDescriptor) throws(Errno) {
        var count = 0
        while count < bytes.count {
            let outcome = unsafe bytes.withUnsafeBytes { buffer in
                Result { () throws(Errno) in
                    try unsafe file.write(UnsafeRawBufferPointer(rebasing: buffer[count...]))
                }
            }
            count += try outcome.get()
        }
    }
}
