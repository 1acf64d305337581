import Configuration
import Glibc
import Linux
import Wire

/// What the kernel has to know of the router's interfaces: links up, MTU, addresses, routes, forwarding.
///
/// Each change is noted when it is made, and taken back in reverse order by `takeBack`, or at once when a later one
/// fails. What was there before is left alone.
final class HostSide {
    private var netlink: RouteNetlink
    private var undo: [Undo] = []

    private enum Undo {
        case setting(Sysctl, String)
        case route(Route, link: UInt32)
        case address(Linux.InterfaceAddress, link: UInt32)
        case up(link: UInt32)
    }

    init(_ plan: RouterPlan) throws(HostSideError) {
        do { netlink = try RouteNetlink() } catch { throw HostSideError("cannot talk to the kernel's routing", error) }
        do throws(HostSideError) {
            if plan.configuration.forwarding == .auto {
                try enable(.forwardingV4)
                try enable(.forwardingV6)
            }
            for interface in plan.interfaces { try bringUp(interface) }
        } catch {
            takeBack()
            throw error
        }
    }

    deinit { takeBack() }

    /// Leaves everything as it was found. A thing that somebody else has removed meanwhile is no error.
    func takeBack() {
        while let change = undo.popLast() {
            switch change {
            case .setting(let setting, let value): try? setting.write(value)
            case .route(let route, let link): try? netlink.remove(route, link: link)
            case .address(let address, let link): try? netlink.remove(address, link: link)
            case .up(let link): try? netlink.setUp(false, link: link)
            }
        }
    }

    /// Switches a setting on, unless the host has no such setting: one without IPv6 has not.
    private func enable(_ setting: Sysctl) throws(HostSideError) {
        do throws(Errno) {
            let before = try setting.read()
            guard before != "1" else { return }
            try setting.write("1")
            undo.append(.setting(setting, before))
        } catch {
            guard error.rawValue != ENOENT else { return }
            throw HostSideError("cannot set \(setting.path)", error)
        }
    }

    private func bringUp(_ interface: RouterPlan.Interface) throws(HostSideError) {
        let configuration = interface.configuration
        let name = configuration.name.value
        let link = try step("\(name): no such link") { () throws(NetlinkError) in try netlink.index(of: name) }
        // As the kernel's WireGuard: no addresses of the kernel's own making, no redirects (P-9.9).
        try? netlink.disableAddressGeneration(link: link)
        try? Sysctl.sendRedirects(name).write("0")
        try step("\(name): cannot set the MTU to \(configuration.mtu)") { () throws(NetlinkError) in
            try netlink.setMTU(configuration.mtu, link: link)
        }
        for address in configuration.addresses { try add(address.value, name, link) }
        try step("\(name): cannot bring the link up") { () throws(NetlinkError) in try netlink.setUp(true, link: link) }
        undo.append(.up(link: link))
        guard configuration.routes else { return }
        for peer in interface.peers {
            for prefix in peer.configuration.allowedIPs { try add(Route(prefix.value), name, link) }
        }
    }

    private func add(
        _ address: Configuration.InterfaceAddress, _ name: String, _ link: UInt32
    ) throws(HostSideError) {
        guard let address = Linux.InterfaceAddress(address.address, prefixLength: address.length) else { return }
        do throws(NetlinkError) {
            try netlink.add(address, link: link)
            undo.append(.address(address, link: link))
        } catch {
            // A host without IPv6 runs with what is left.
            guard address.address.family == .v4 || !error.meansNoIPv6 else { return }
            throw HostSideError("\(name): cannot add the address \(address)", error)
        }
    }

    /// A route that is there already is left as it is when it leads out of our link, as an address's own network does.
    private func add(_ route: Route, _ name: String, _ link: UInt32) throws(HostSideError) {
        do throws(NetlinkError) {
            try netlink.add(route, link: link)
            undo.append(.route(route, link: link))
        } catch {
            guard route.prefix.family == .v4 || !error.meansNoIPv6 else { return }
            if error.errno.rawValue == EEXIST, let ours = try? netlink.routes(link: link),
                ours.contains(where: { $0.prefix == route.prefix && $0.table == route.table })
            {
                return
            }
            throw HostSideError("\(name): cannot add the route to \(route.prefix)", error)
        }
    }

    private func step<Result>(
        _ what: String, _ body: () throws(NetlinkError) -> Result
    ) throws(HostSideError) -> Result {
        do { return try body() } catch { throw HostSideError(what, error) }
    }
}

/// What could not be set up, and the kernel's reason.
package struct HostSideError: Error, CustomStringConvertible {
    package let description: String
    let isForPrivileges: Bool

    init(_ what: String, _ error: NetlinkError) {
        description = "\(what): \(error)"
        isForPrivileges = error.errno.rawValue == EPERM
    }

    init(_ what: String, _ error: Errno) {
        description = "\(what): \(error.text)"
        isForPrivileges = error.rawValue == EPERM || error.rawValue == EACCES
    }
}

extension NetlinkError {
    /// The host's IPv6 is missing or switched off.
    fileprivate var meansNoIPv6: Bool {
        switch errno.rawValue {
        case EACCES, EOPNOTSUPP, EAFNOSUPPORT, ENODEV: true
        default: false
        }
    }
}
