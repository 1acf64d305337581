import ArgumentParser
import Glibc
import Linux

/// Goes to the background without a fork, which a program with threads may not do: a second process of the same program
/// does the work, and tells when it is ready; until then this one waits, and has its exit status.
enum Background {
    /// The child's end of a pipe, to write a byte to once it is ready.
    private static let readyVariable = "FULLBORE_READY_FD"

    /// Starts this program again with the same arguments, and returns once that one is ready.
    static func start() throws {
        var ends: [CInt] = [-1, -1]
        do throws(Errno) {
            try Errno.check(unsafe pipe(&ends), "pipe")
        } catch {
            complain("fullbore: \(error)")
            throw ExitCode.failure
        }
        let reading = FileDescriptor(owning: ends[0])
        let writing = FileDescriptor(owning: ends[1])
        _ = fcntl(reading.rawValue, F_SETFD, FD_CLOEXEC)

        let child = try spawn(ready: writing.rawValue)
        close(consume writing)
        var byte: UInt8 = 0
        let count = try? unsafe withUnsafeMutableBytes(of: &byte) { try unsafe reading.read(into: $0) }
        if count == 1 { return }
        var status: CInt = 0
        while unsafe waitpid(child, &status, 0) == -1, errno == EINTR {}
        // WIFEXITED, WEXITSTATUS
        throw status & 0x7f == 0 && status >> 8 & 0xff != 0 ? ExitCode(status >> 8 & 0xff) : ExitCode.failure
    }

    private static func close(_ descriptor: consuming FileDescriptor) { _ = consume descriptor }

    private static func spawn(ready: CInt) throws -> pid_t {
        unsafe setenv(readyVariable, "\(ready)", 1)
        unsafe setenv("WG_PROCESS_FOREGROUND", "1", 1)
        var child: pid_t = 0
        let error = unsafe posix_spawn(&child, "/proc/self/exe", nil, nil, CommandLine.unsafeArgv, environ)
        guard error == 0 else {
            complain("fullbore: cannot start in the background: \(Errno(error).text)")
            throw ExitCode.failure
        }
        return child
    }

    /// The process in the background, as it finds itself.
    struct Child: ~Copyable {
        private let ready: FileDescriptor

        /// nil in a process that stays in the foreground.
        init?() {
            guard let text = unsafe getenv(Background.readyVariable).map({ unsafe String(cString: $0) }),
                let number = CInt(text), fcntl(number, F_SETFD, FD_CLOEXEC) != -1
            else { return nil }
            unsafe unsetenv(Background.readyVariable)
            ready = FileDescriptor(owning: number)
            // Of no terminal and no shell any more.
            setsid()
        }

        /// Lets go of where it was started, and the starter of us. Standard error stays for those who have asked for a
        /// log: whoever reads it to its end would wait for ours otherwise.
        consuming func isReady() {
            unsafe chdir("/")
            let null = unsafe open("/dev/null", O_RDWR)
            if null >= 0 {
                dup2(null, STDIN_FILENO)
                dup2(null, STDOUT_FILENO)
                if unsafe getenv("LOG_LEVEL") == nil { dup2(null, STDERR_FILENO) }
                if null > STDERR_FILENO { Glibc.close(null) }
            }
            let byte: [UInt8] = [1]
            _ = try? unsafe byte.withUnsafeBytes { try unsafe ready.write($0) }
        }
    }
}
