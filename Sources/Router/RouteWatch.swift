import Crypto
import Glibc
import Linux
import Synchronization
import Wire

/// Watches the host's links, addresses and routes, and drops the source kept for a peer when its way leaves elsewhere
/// now (P-6.3): a datagram sent from the old place would be lost without an error.
final class RouteWatch: Sendable {
    /// The source of a peer's path, as a worker has told.
    struct Source: Sendable {
        let peer: PeerID
        let publicKey: PublicKey
        let interface: InterfaceID
        let path: Path
    }

    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)

    /// A change of routing is a burst of messages; one look when it is over does.
    private static let settling: CInt = 50  // ms
    /// Where a routing daemon changes routes all the time, so much lies between two looks.
    private static let pause: CInt = 1000  // ms

    init() throws(Errno) { wakeup = try EventDescriptor() }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Runs until `stop`. Asks for the `sources` there are after each change and names those that are no longer good;
    /// `mark` gives an interface's fwmark, by which routes may differ.
    func run(
        sources: () -> [Source], mark: (InterfaceID) -> UInt32, gone: (Source) -> Void
    ) throws(NetlinkError) {
        do {
            let monitor = try RouteMonitor()
            var netlink = try RouteNetlink()
            while wait(for: monitor) {
                guard monitor.drain() else { continue }
                _ = poll(nil, 0, Self.settling)
                _ = monitor.drain()
                for source in sources() where !netlink.holds(source.path, mark: mark(source.interface)) {
                    gone(source)
                }
                guard sleep() else { return }
            }
        } catch {
            throw NetlinkError(error)
        }
    }

    private func sleep() -> Bool {
        var waiting = pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&waiting, 1, Self.pause)
        return !isStopped.load(ordering: .acquiring)
    }

    /// False when it is time to end.
    private func wait(for monitor: borrowing RouteMonitor) -> Bool {
        var waiting = [
            pollfd(fd: monitor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&waiting, 2, -1)
        return !isStopped.load(ordering: .acquiring)
    }
}
