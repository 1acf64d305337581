import Foundation
import Glibc
import Linux

/// Lines over a stream socket. `isReady` waits for the socket before each call, and ends the whole when it is false.
extension FileDescriptor {
    private static let chunk = 64 << 10

    /// Bytes up to a line break or the end; nil when there are none, more than `bound`, or none in time.
    func readLine(bound: Int, isReady: () -> Bool = { true }) -> Data? {
        var line = Data()
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        let descriptor = rawValue
        while isReady() {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count >= 0 else { return nil }
            let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n"))
            line.append(contentsOf: chunk[..<(end ?? count)])
            guard line.count <= bound else { return nil }
            if end != nil { return line }
            if count == 0 { return line.isEmpty ? nil : line }
        }
        return nil
    }

    func writeAll(_ data: Data, isReady: () -> Bool = { true }) {
        var sent = 0
        unsafe data.withUnsafeBytes { bytes in
            while sent < bytes.count, isReady() {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...].prefix(Self.chunk))
                // Not write: a client that went away must not raise SIGPIPE.
                let count = unsafe send(rawValue, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(rawValue, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }
}
