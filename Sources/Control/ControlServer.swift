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
    private let isRemoved = Atomic(false)

    /// A client that takes longer to say what it wants, or to read the answer, is sent away.
    package static let patience = Interval.seconds(5)
    private let patience: Interval

    /// Listens from here on; EADDRINUSE when a router of the same name is running.
    package init(_ socket: ControlSocket, patience: Interval = patience) throws(Errno) {
        self.socket = socket
        self.patience = patience
        listener = try socket.listen()
        wakeup = try EventDescriptor()
    }

    /// Ends `run` at once, whatever its client does.
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

    /// Milliseconds.
    private static let restAfterFailure: CInt = 100

    /// Serves until `stop`.
    package func run(_ handler: Handler) {
        while !isStopped.load(ordering: .acquiring) {
            var waiting = [
                pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            guard unsafe poll(&waiting, 2, -1) > 0, waiting[0].revents != 0 else { continue }
            guard let client = try? FileDescriptor(accept(listener.rawValue, nil, nil), "accept") else {
                // Out of descriptors, mostly: the client is still there and would be tried again without a rest.
                _ = unsafe poll(&waiting[1], 1, Self.restAfterFailure)
                continue
            }
            serve(ControlConnection(client, patience: patience, interruption: wakeup.rawValue), handler)
        }
    }

    private func serve(_ connection: borrowing ControlConnection, _ handler: Handler) {
        guard let line = connection.readLine(bound: ControlProtocol.requestBound) else { return }
        let answer: ControlProtocol.Answer
        switch ControlProtocol.decode(line) {
        case .success(let request): answer = handler(request.command)
        case .failure(let problem): answer = ControlProtocol.Answer(error: problem.text)
        }
        connection.write(ControlProtocol.encode(answer))
    }
}
