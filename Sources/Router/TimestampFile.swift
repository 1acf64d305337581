import Crypto
import Glibc
import Linux
import WireGuard

/// The greatest time stamp taken from each peer, by interface: kept over restarts, so that an initiation that one run has
/// taken cannot be played to the next one, which would answer it and follow it to where it came from (S-20).
///
/// A line a peer: interface, public key, seconds and nanoseconds of the TAI64N stamp as sent. None of it is secret.
struct TimestampFile: Sendable {
    typealias Stamps = [String: [PublicKey: TAI64N]]

    /// A million peers' worth.
    private static let sizeBound = 128 << 20
    private static let name = "timestamps"

    private let directory: String
    var path: String { "\(directory)/\(Self.name)" }

    init(stateDirectory: String, router: String) { directory = "\(stateDirectory)/\(router)" }

    /// What was saved last, and how many lines of it make no sense; nothing where there is no file.
    func load() throws(Errno) -> (stamps: Stamps, malformed: Int) {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(path)
        } catch {
            guard error.rawValue == ENOENT || error.rawValue == ENOTDIR else { throw error }
            return ([:], 0)
        }
        return Self.parse(try Self.contents(of: file))
    }

    /// Puts `stamps` in the place of what was saved, all or nothing.
    func save(_ stamps: Stamps) throws(Errno) {
        try makeDirectory()
        let fresh = "\(path).new"
        let file = try FileDescriptor(
            unsafe Glibc.open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600), "open \(fresh)")
        try Self.write(Array(Self.text(of: stamps).utf8), to: file)
        // Before the name changes hands: a crash leaves the old file or the whole new one.
        try Errno.check(fsync(file.rawValue), "fsync \(fresh)")
        try Errno.check(unsafe rename(fresh, path), "rename \(fresh)")
    }

    // MARK: Text

    static func text(of stamps: Stamps) -> String {
        var text = ""
        for (interface, stamps) in stamps.sorted(by: { $0.key < $1.key }) {
            for (key, stamp) in stamps {
                text += "\(interface) \(key.base64) \(stamp.seconds) \(stamp.nanoseconds)\n"
            }
        }
        return text
    }

    static func parse(_ bytes: [UInt8]) -> (stamps: Stamps, malformed: Int) {
        var stamps: Stamps = [:]
        var malformed = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 4, let key = PublicKey(base64: fields[1]), let seconds = UInt64(fields[2]),
                let nanoseconds = UInt32(fields[3])
            else {
                malformed += 1
                continue
            }
            stamps[fields[0], default: [:]][key] = TAI64N(seconds: seconds, nanoseconds: nanoseconds)
        }
        return (stamps, malformed)
    }

    // MARK: Files

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
