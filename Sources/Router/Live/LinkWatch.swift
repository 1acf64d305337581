import Glibc
import Linux
import Locking
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

    /// One that is watched. Another one may have its number, and its descriptor's, after it; not its serial.
    private struct Watched {
        let interface: Interface
        let serial: Int
    }

    private struct Watching {
        var interfaces: [Watched] = []
        private var serials = 0

        mutating func add(_ interface: Interface) {
            interfaces.append(Watched(interface: interface, serial: serials))
            serials += 1
        }
    }

    private let watching: Guarded<Watching>
    private let wakeup: EventDescriptor
    private let isStopped = Atomic(false)

    /// Nobody tells of links in other namespaces: as long as one of ours is there, it is looked at so often.
    private static let lookAway: CInt = 500  // ms

    init(_ interfaces: [Interface]) throws(Errno) {
        var watching = Watching()
        for interface in interfaces { watching.add(interface) }
        self.watching = Guarded(watching)
        wakeup = try EventDescriptor()
    }

    /// Tells of this interface as well.
    func add(_ interface: Interface) {
        watching.withLock { $0.add(interface) }
        wakeup.signal()
    }

    /// Looks at its queue no more once this returns. What was seen before may still be told: `isCurrent` is false then.
    func remove(_ id: InterfaceID) { watching.withLock { $0.interfaces.removeAll { $0.interface.id == id } } }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Tells of each link how it is and which MTUs its routes have, at first and after each change, until `stop`. `isCurrent`
    /// says whether the interface is still watched, and is to be asked by who has waited since.
    func run(_ told: (InterfaceID, Link, _ routeMTUs: Set<Int>, _ isCurrent: () -> Bool) -> Void) throws {
        // Listens before it looks, so that nothing falls between the two.
        let monitor = try RouteMonitor(RouteMonitor.mtus)
        var netlink = try RouteNetlink()
        let home = try NetworkNamespace().inode
        var hasMTUs = false
        var isAnyAway: Bool
        repeat {
            isAnyAway = false
            var seen: [(Watched, Link, routeMTUs: Set<Int>)] = []
            watching.withLock { watching in
                for watched in watching.interfaces {
                    guard let (link, isAway) = find(watched.interface, home: home, &netlink) else { continue }
                    // Routes of another namespace cannot be asked for: then the link's own MTU counts.
                    let mtus = isAway ? [] : (try? netlink.routeMTUs(link: link.index)) ?? []
                    if isAway { isAnyAway = true }
                    if !mtus.isEmpty { hasMTUs = true }
                    seen.append((watched, link, mtus))
                }
            }
            for (watched, link, mtus) in seen { told(watched.interface.id, link, mtus) { isWatched(watched) } }
        } while wait(for: monitor, all: hasMTUs, isAnyAway ? Self.lookAway : -1)
    }

    private func isWatched(_ watched: Watched) -> Bool {
        watching.withLock { $0.interfaces.contains { $0.serial == watched.serial } }
    }

    /// nil for a link that is gone, or where we cannot see it.
    private func find(
        _ interface: Interface, home: UInt64, _ netlink: inout RouteNetlink
    ) -> (link: Link, isAway: Bool)? {
        guard let name = TUNDevice.currentName(of: interface.tun) else { return nil }
        // Without the right to look it is taken to be here.
        guard let namespace = try? TUNDevice.namespace(of: interface.tun), namespace.inode != home else {
            return (try? netlink.link(name)).map { ($0, false) }
        }
        guard let number = try? netlink.number(of: namespace) else { return nil }
        return (try? netlink.link(name, inNamespace: number)).map { ($0, true) }
    }

    /// Until something has changed, or for so many milliseconds; false when it is time to end. Routes without an MTU of their
    /// own come and go without waking anybody up, unless one has had one: a route that loses it says nothing of that.
    private func wait(for monitor: borrowing RouteMonitor, all: Bool, _ timeout: CInt) -> Bool {
        while !isStopped.load(ordering: .acquiring) {
            var waiting = [wakeup.rawValue, monitor.rawValue].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let ready = unsafe poll(&waiting, 2, timeout)
            let hasChanged = all ? monitor.drain() : monitor.drain(where: RouteMonitor.concernsMTU)
            if waiting[0].revents != 0 { _ = wakeup.clear() }
            if hasChanged || ready == 0 || waiting[0].revents != 0 { break }
        }
        return !isStopped.load(ordering: .acquiring)
    }
}
