import ArgumentParser
import Control
import Glibc

/// What a command ends with beside 0 and 1; 64, usage, is the argument parser's own (sysexits.h).
extension ExitCode {
    static let usage = ExitCode(64)
    static let notRunning = ExitCode(69)
    static let permission = ExitCode(77)
    static let configuration = ExitCode(78)
}

/// A line on standard error.
func complain(_ text: String) { write(text, to: STDERR_FILENO) }

/// A line on standard output; ends the program quietly when nobody reads it any more.
func say(_ text: String) { write(text, to: STDOUT_FILENO) }

private func write(_ text: String, to descriptor: CInt) {
    var rest = Substring(text + "\n").utf8
    while !rest.isEmpty {
        let written = unsafe rest.withContiguousStorageIfAvailable {
            unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        }
        guard let written, written > 0 else { return }
        rest = rest.dropFirst(written)
    }
}

extension ControlClient.Problem {
    var exitCode: ExitCode {
        switch self {
        case .notRunning: .notRunning
        case .notPermitted: .permission
        case .ambiguous: .usage
        case .refused(_, isForConfiguration: true): .configuration
        case .failed, .refused, .garbled: .failure
        }
    }

    /// Whether it is a report on a router file, which speaks for itself.
    var isForConfiguration: Bool {
        if case .refused(_, isForConfiguration: true) = self { true } else { false }
    }
}
