import Glibc

/// How long a thread has been ready to run and had no core: what the kernel counts in `schedstat` (CONFIG_SCHED_INFO,
/// Documentation/scheduler/sched-stats.rst).
package struct CoreWait: ~Copyable {
    private let file: FileDescriptor
    /// Three numbers of up to 20 digits, two blanks and a line's end.
    private static let lineBound = 64

    /// Of the calling thread, wherever it is asked from later.
    package init() throws(Errno) { file = try FileDescriptor.open("/proc/thread-self/schedstat") }

    /// Nanoseconds since the thread began; nil when the kernel does not say.
    package func nanoseconds() -> UInt64? {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.lineBound, alignment: 1) { line in
            let count = unsafe pread(file.rawValue, line.baseAddress, line.count, 0)
            guard count > 0 else { return nil }
            return Self.waited(in: unsafe String(decoding: line[..<count], as: UTF8.self))
        }
    }

    /// `ran waited slices`.
    static func waited(in line: String) -> UInt64? {
        let numbers = line.split(whereSeparator: \.isWhitespace)
        return numbers.count == 3 ? UInt64(numbers[1]) : nil
    }
}
