import Foundation
import Glibc
import Linux
import Synchronization
import Wire

/// Answers requests on a router's control socket, one connection at a time, on a thread of its own.
package final class ControlServer: Sendable {
    package typealias Handler = @Sendable (ControlProtocol.Command) -> ControlProtocol.Answer

    private let socket: ControlSocket
    private let listener: FileDescriptor
    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)

    /// A client that has not said what it wants within this time, or takes nothing of its answer for so long, is sent
    /// away.
    private static let patience = Interval.seconds(5)

    /// Listens from here on; EADDRINUSE when a router of the same name is running.
    package init(_ socket: ControlSocket) throws(Errno) {
        self.socket = socket
        listener = try socket.listen()
        wakeup = try EventDescriptor()
    }

    deinit { socket.remove() }

    package func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

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
        let descriptor = connection.rawValue
        let deadline = Clocks.now() + Self.patience
        let line = connection.readLine(bound: ControlProtocol.requestBound) {
            isReady(descriptor, POLLIN, until: deadline)
        }
        guard let line else { return }
        let answer: ControlProtocol.Answer
        switch ControlProtocol.decode(line) {
        case .success(let request): answer = handler(request.command)
        case .failure(let problem): answer = ControlProtocol.Answer(error: problem.text)
        }
        connection.writeAll(ControlProtocol.encode(answer)) {
            isReady(descriptor, POLLOUT, until: Clocks.now() + Self.patience)
        }
    }

    /// Waits for a connection; false when the time is up, or the server is to stop.
    private func isReady(_ descriptor: CInt, _ event: CInt, until deadline: Instant) -> Bool {
        var waiting = [
            pollfd(fd: descriptor, events: Int16(event), revents: 0),
            pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        let left = (deadline - Clocks.now()).nanoseconds / 1_000_000
        return unsafe poll(&waiting, 2, CInt(left)) > 0 && waiting[0].revents != 0
            && !isStopped.load(ordering: .acquiring)
    }
}
