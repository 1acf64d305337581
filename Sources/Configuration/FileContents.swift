import Glibc

/// Why a file cannot be read.
package struct FileProblem: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        case missing
        case noPermission
        case notAFile
        case tooLarge(limit: Int)
        case failed(errno: Int32)
    }

    package let kind: Kind

    init(errno: Int32) {
        switch errno {
        case ENOENT, ENOTDIR: kind = .missing
        case EACCES, EPERM: kind = .noPermission
        case EISDIR: kind = .notAFile
        default: kind = .failed(errno: errno)
        }
    }

    init(_ kind: Kind) { self.kind = kind }

    package var message: String {
        switch kind {
        case .missing: "no such file"
        case .noPermission: "no permission to read it"
        case .notAFile: "not a file"
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .failed(let errno): unsafe String(cString: strerror(errno))
        }
    }
}

/// A file open for reading.
struct OpenFile: ~Copyable {
    private let descriptor: CInt

    init(_ path: String) throws(FileProblem) {
        // Not to wait for a writer, should it be a FIFO, nor to be given a terminal.
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard opened >= 0 else { throw FileProblem(errno: errno) }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Its type and permissions (st_mode).
    func mode() throws(FileProblem) -> mode_t {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileProblem(errno: errno) }
        return status.st_mode
    }

    /// Reads until `buffer` is full or the file ends, and returns how many bytes that were.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileProblem) -> Int {
        var count = 0
        while count < buffer.count {
            let number = unsafe Glibc.read(
                descriptor, buffer.baseAddress.unsafelyUnwrapped + count, buffer.count - count)
            if number < 0, errno == EINTR { continue }
            guard number >= 0 else { throw FileProblem(errno: errno) }
            guard number > 0 else { break }
            count += number
        }
        return count
    }
}

/// Whole files.
enum FileContents {
    static func isRegular(_ mode: mode_t) -> Bool { mode & S_IFMT == S_IFREG }

    /// The bytes of a regular file, at most `limit` of them.
    static func read(_ path: String, limit: Int) throws(FileProblem) -> [UInt8] {
        let file = try OpenFile(path)
        guard isRegular(try file.mode()) else { throw FileProblem(.notAFile) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var result: Result<Int, FileProblem> = .success(0)
            unsafe piece.withUnsafeMutableBytes { buffer in
                do throws(FileProblem) {
                    result = .success(try unsafe file.read(into: buffer))
                } catch {
                    result = .failure(error)
                }
            }
            let count = try result.get()
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw FileProblem(.tooLarge(limit: limit)) }
            bytes += piece[..<count]
        }
    }
}
