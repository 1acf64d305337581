import Foundation
import Glibc
import Linux
import Synchronization

/// Answers requests on a router's control socket, one connection at a time, on a thread of its own.
package final class ControlServer: Sendable {
    package typealias Handler = @Sendable (ControlProtocol.Command) -> ControlProtocol.Answer

    private let socket: ControlSocket
    private let listener: FileDescriptor
    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)
    private let isRemoved = Atomic(false)

    /// A client that does not say what it wants within this time is sent away.
    private static let patience = 5

    /// Listens from here on; EADDRINUSE when a router of the same name is running.
    package init(_ socket: ControlSocket) throws(Errno) {
        self.socket = socket
        listener = try socket.listen()
        wakeup = try EventDescriptor()
    }

    /// Where `run` is still under way, ends it.
    package func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Takes the socket out of the file system, once: from then on another router may have the name.
    package func remove() {
        if !isRemoved.exchange(true, ordering: .acquiringAndReleasing) { socket.remove() }
    }

    /// A start that fails half-way leaves no socket behind.
    deinit { remove() }

    /// Serves until `stop`.
    package func run(_ handler: Handler) {
        while !isStopped.load(ordering: .acquiring) {
            var waiting = [
                pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&waiting, 2, -1) > 0, waiting[0].revents != 0 else { continue }
            guard let connection = try? FileDescriptor(accept(listener.rawValue, nil, nil), "accept") else {
                continue
            }
            serve(connection, handler)
        }
    }

    private func serve(_ connection: borrowing FileDescriptor, _ handler: Handler) {
        connection.setTimeout(seconds: Self.patience)
        guard let line = connection.readLine(bound: ControlProtocol.requestBound) else { return }
        let answer: ControlProtocol.Answer
        switch ControlProtocol.decode(line) {
        case .success(let request): answer = handler(request.command)
        case .failure(let problem): answer = ControlProtocol.Answer(error: problem.text)
        }
        connection.writeAll(ControlProtocol.encode(answer))
    }
}

extension FileDescriptor {
    func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(rawValue, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Bytes up to a line break or the end; nil when there are none or more than `bound`.
    func readLine(bound: Int) -> Data? {
        var line = Data()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while line.count <= bound {
            let descriptor = rawValue
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count >= 0 else { return nil }
            guard count > 0 else { return line.isEmpty ? nil : line }
            if let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n")) {
                line.append(contentsOf: chunk[..<end])
                return line
            }
            line.append(contentsOf: chunk[..<count])
        }
        return nil
    }

    func writeAll(_ data: Data) {
        var sent = 0
        unsafe data.withUnsafeBytes { bytes in
            while sent < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                // Not write: a client that went away must not raise SIGPIPE.
                let count = unsafe send(rawValue, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
                guard count > 0 else { return }
                sent += count
            }
        }
    }
}
