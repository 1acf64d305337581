import Crypto
import Glibc
import Linux
import Locking
import Synchronization
import Wire

/// Serves the UAPI of some interfaces: any number of operations on a connection, several connections at once, each on a
/// thread of its own.
package final class UAPIServer: Sendable {
    package enum Answer: Sendable {
        case state(DeviceState)
        /// nil: it is done.
        case result(Errno?)
    }

    /// Carries out an operation on an interface. Called from several threads.
    package typealias Handler = @Sendable (_ interface: String, UAPIOperation) -> Answer

    /// The most connections at once; more wait in the sockets' backlogs.
    static let connectionBound = 16
    /// A client that is silent in the middle of something, or reads nothing, for so long is sent away. One that only
    /// holds its connection is so when connections run short.
    private static let patience = Interval.seconds(60)
    /// After an accept that failed, in milliseconds.
    private static let restAfterFailure: CInt = 100

    private let sockets: Guarded<[UAPISocket]>
    private let handler: Handler
    /// Rings once and for all when it is time to end.
    private let stopping: EventDescriptor
    private let isStopped = Atomic(false)
    private let connections = Atomic(0)
    /// Rings when a connection has ended.
    private let ended: Doorbell

    package init(_ sockets: [UAPISocket], _ handler: @escaping Handler) throws(Errno) {
        self.sockets = Guarded(sockets)
        self.handler = handler
        stopping = try EventDescriptor()
        ended = try Doorbell()
    }

    /// Serves this socket as well.
    package func add(_ socket: UAPISocket) {
        sockets.withLock { $0.append(socket) }
        ended.ring()
    }

    /// Serves an interface no more, and takes its socket out of the file system. What is under way is carried out.
    package func remove(interface: String) {
        let gone = sockets.withLock { sockets in
            let gone = sockets.filter { $0.interface == interface }
            sockets.removeAll { $0.interface == interface }
            return gone
        }
        for socket in gone { socket.remove() }
        ended.ring()
    }

    /// The sockets that are served.
    package var served: [UAPISocket] { sockets.withLock { $0 } }

    /// Ends `run`, and whatever is under way, at once.
    package func stop() {
        isStopped.store(true, ordering: .releasing)
        stopping.signal()
    }

    /// Serves until `stop`, and returns when no connection is left.
    package func run() {
        while !isStopped.load(ordering: .acquiring) {
            // Held on to, so that no descriptor closes while it is waited for.
            let sockets = served
            let isFull = connections.load(ordering: .acquiring) >= Self.connectionBound
            var waiting = [
                pollfd(fd: stopping.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ended.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            if !isFull {
                waiting += sockets.map { pollfd(fd: $0.listener.rawValue, events: Int16(POLLIN), revents: 0) }
            }
            guard unsafe poll(&waiting, nfds_t(waiting.count), -1) > 0 else { continue }
            if waiting[1].revents != 0 { ended.clear() }
            for index in sockets.indices.prefix(waiting.count - 2) where waiting[index + 2].revents != 0 {
                accept(sockets[index])
            }
        }
        while connections.load(ordering: .acquiring) > 0 { ended.wait() }
    }

    private func accept(_ socket: UAPISocket) {
        do {
            let number = Glibc.accept(socket.listener.rawValue, nil, nil)
            if number == -1, errno == EAGAIN { return }
            let client = try FileDescriptor(number, "accept")
            try Errno.check(fcntl(number, F_SETFD, FD_CLOEXEC), "fcntl")
            let connection = UAPIConnection(client)
            connections.wrappingAdd(1, ordering: .acquiringAndReleasing)
            do {
                _ = try Thread(name: "uapi-\(socket.interface)") { [self] in
                    serve(connection, socket.interface)
                    connections.wrappingSubtract(1, ordering: .acquiringAndReleasing)
                    ended.ring()
                }
            } catch {
                connections.wrappingSubtract(1, ordering: .acquiringAndReleasing)
                throw error
            }
        } catch {
            // Out of descriptors or threads, mostly: the client is still there and would be tried again without a rest.
            var stop = pollfd(fd: stopping.rawValue, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&stop, 1, Self.restAfterFailure)
        }
    }

    // MARK: One connection

    private static let chunk = 64 << 10

    private func serve(_ connection: UAPIConnection, _ interface: String) {
        var parser = UAPIParser()
        var received = WipedBytes(capacity: Self.chunk)
        var goesOn = true
        while goesOn {
            guard isReady(connection, POLLIN) else {
                if parser.isIdle, !isStopped.load(ordering: .acquiring), hasRoom { continue }
                return
            }
            unsafe received.fill { unsafe connection.receive(into: $0) }
            guard received.count > 0 else {
                // A client that has said all may still read.
                if connection.hasEnded, let last = parser.finish() { answer(last, connection, interface) }
                if connection.hasEnded { return }
                continue
            }
            received.withBytes { bytes in
                unsafe parser.feed(bytes) { if goesOn { goesOn = answer($0, connection, interface) } }
            }
            received.wipe()
        }
    }

    private var hasRoom: Bool { connections.load(ordering: .acquiring) <= Self.connectionBound / 2 }

    /// False when the client does not take it.
    @discardableResult
    private func answer(_ operation: UAPIOperation, _ connection: UAPIConnection, _ interface: String) -> Bool {
        var isTaken = true
        var text = unsafe UAPIText { [self] bytes in
            isTaken = unsafe send(bytes, connection)
            return isTaken
        }
        if case .refused(let error) = operation {
            text.end(error)
            return isTaken
        }
        switch handler(interface, operation) {
        case .state(let state):
            text.write(state)
            text.end(nil)
        case .result(let error): text.end(error)
        }
        return isTaken
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ connection: UAPIConnection) -> Bool {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            guard isReady(connection, POLLOUT) else { return false }
            guard let count = unsafe connection.send(rest) else { return false }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }

    /// Waits for one of `events`, or a hang-up; false when patience is at its end, or the server is.
    private func isReady(_ connection: UAPIConnection, _ events: CInt) -> Bool {
        let milliseconds = CInt(Self.patience.nanoseconds / 1_000_000)
        var waiting = [
            pollfd(fd: connection.descriptor.rawValue, events: Int16(events), revents: 0),
            pollfd(fd: stopping.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let ready = unsafe poll(&waiting, 2, milliseconds)
            if ready < 0, errno == EINTR { continue }
            return ready > 0 && waiting[1].revents == 0
        }
    }
}
