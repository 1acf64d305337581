import Foundation
import Glibc
import Linux
import Wire

/// One end of a connection over the control socket: a line in, a line out, each before a deadline of its own.
///
/// Neither direction blocks in the kernel, so that a client that says nothing, or does not read, holds nobody up.
struct ControlConnection: ~Copyable {
    private let descriptor: FileDescriptor
    private let patience: Interval
    private let interruption: CInt

    /// `interruption` is a descriptor that becomes readable when whatever is under way is to be given up; -1 for none.
    init(_ descriptor: consuming FileDescriptor, patience: Interval, interruption: CInt = -1) {
        self.descriptor = descriptor
        self.interruption = interruption
        self.patience = patience
    }

    /// Bytes up to a line break or the end; nil when there are none or more than `bound`, or when it is given up.
    func readLine(bound: Int) -> Data? {
        var line = Data()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let deadline = Clocks.now() + patience
        while line.count <= bound, isReady(POLLIN, deadline) {
            let count = unsafe chunk.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor.rawValue, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT))
            }
            if count < 0, Self.isForNow(errno) { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return line.isEmpty ? nil : line }
            if let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n")) {
                line.append(contentsOf: chunk[..<end])
                return line.count <= bound ? line : nil
            }
            line.append(contentsOf: chunk[..<count])
        }
        return nil
    }

    func write(_ data: Data) {
        var sent = 0
        let deadline = Clocks.now() + patience
        unsafe data.withUnsafeBytes { bytes in
            while sent < bytes.count, isReady(POLLOUT, deadline) {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                // Not write: a client that went away must not raise SIGPIPE.
                let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
                let count = unsafe send(descriptor.rawValue, rest.baseAddress, rest.count, flags)
                if count < 0, Self.isForNow(errno) { continue }
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    /// Waits for one of `events`, or a hang-up; false at the deadline or the interruption.
    private func isReady(_ events: CInt, _ deadline: Instant) -> Bool {
        var waiting = [
            pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0),
            pollfd(fd: interruption, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let left = (deadline - Clocks.now()).nanoseconds / 1_000_000
            let ready = unsafe poll(&waiting, nfds_t(waiting.count), CInt(clamping: left))
            if ready < 0, errno == EINTR { continue }
            return ready > 0 && waiting[1].revents == 0
        }
    }

    private static func isForNow(_ error: CInt) -> Bool { error == EAGAIN || error == EINTR }
}
