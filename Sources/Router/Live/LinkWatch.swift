import Glibc
import Linux
import Synchronization
import TUN
import Wire

/// Follows the interfaces' links, which others set up and down and give an MTU, as `ip` and `wg-quick` do (P-9.1), also
/// into another network namespace and under another name (P-9.8); and the MTUs of routes that lead out of them (P-4.6).
final class LinkWatch: Sendable {
    struct Interface: Sendable {
        let id: InterfaceID
        /// One of its queues, open for as long as this runs.
        let tun: CInt
    }

    private let interfaces: [Interface]
    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)

    init(_ interfaces: [Interface]) throws(Errno) {
        self.interfaces = interfaces
        wakeup = try EventDescriptor()
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Tells of each link how it is and which MTUs its routes have, at first and after each change, until `stop`.
    func run(_ told: (InterfaceID, Link, _ routeMTUs: Set<Int>) -> Void) throws {
        let home = try Sight()
        var sights = interfaces.map { _ in home }
        repeat {
            for (index, interface) in interfaces.enumerated() {
                guard let link = find(interface, &sights[index], home: home) else { continue }
                told(interface.id, link, sights[index].routeMTUs(link))
            }
        } while wait(for: sights)
    }

    /// nil for a link that is gone, or where we cannot see it.
    private func find(_ interface: Interface, _ sight: inout Sight, home: Sight) -> Link? {
        guard let name = TUNDevice.currentName(of: interface.tun) else { return nil }
        // Without the right to look it is taken to be where it was.
        if let namespace = try? TUNDevice.namespace(of: interface.tun), namespace.inode != sight.inode {
            if namespace.inode == home.inode {
                sight = home
            } else if let moved = try? Sight(in: namespace) {
                sight = moved
            }
        }
        return sight.link(name)
    }

    /// False when it is time to end. Routes without an MTU of their own come and go without waking anybody up.
    private func wait(for sights: [Sight]) -> Bool {
        var hasChanged = false
        while !hasChanged, !isStopped.load(ordering: .acquiring) {
            var waiting = [pollfd(fd: wakeup.rawValue, events: Int16(POLLIN), revents: 0)]
            waiting += sights.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            _ = unsafe poll(&waiting, nfds_t(waiting.count), -1)
            for sight in sights where sight.hasChanged() { hasChanged = true }
        }
        return !isStopped.load(ordering: .acquiring)
    }
}

/// The links and routes of one network namespace.
private final class Sight {
    let inode: UInt64
    private let monitor: RouteMonitor
    private var netlink: RouteNetlink
    /// Whether any route here has had an MTU of its own.
    private var hasMTUs = false

    /// The thread is back in its own when this returns.
    convenience init(in namespace: borrowing NetworkNamespace) throws {
        let home = try NetworkNamespace()
        try namespace.enter()
        // Staying there would put the router's next sockets into the wrong namespace.
        defer { try? home.enter() }
        try self.init()
    }

    /// Of the thread's own.
    init() throws {
        inode = try NetworkNamespace().inode
        // Listens before it looks, so that nothing falls between the two.
        monitor = try RouteMonitor(RouteMonitor.mtus)
        netlink = try RouteNetlink()
    }

    var descriptor: CInt { monitor.rawValue }

    func hasChanged() -> Bool {
        // A route that loses its MTU says nothing of one.
        hasMTUs ? monitor.drain() : monitor.drain(where: RouteMonitor.concernsMTU)
    }

    /// None where they cannot be asked for: then the link's own counts.
    func routeMTUs(_ link: Link) -> Set<Int> {
        let found = (try? netlink.routeMTUs(link: link.index)) ?? []
        if !found.isEmpty { hasMTUs = true }
        return found
    }

    func link(_ name: String) -> Link? { try? netlink.link(name) }
}
