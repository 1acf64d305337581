import Glibc
import Linux
import Wire

/// The router's traces on the host: MTU, addresses, routes, settings. Each thing that it changes is recorded, and
/// exactly that is taken back.
///
/// What was so already is nobody's change: it is used, and left when the router goes. That holds for an address or a
/// route on the interface itself, the kernel's own route to the interface's network among them. A route to the same
/// prefix through another interface is an error, because the traffic would not come here.
///
/// It works in the network namespace of the thread that made it, and is used from one thread.
package final class HostSide {
    private var netlink: RouteNetlink
    private var changes: [HostChange] = []
    /// Of the interfaces of the call that is under way, so that not every route asks for it.
    private var indices: [String: UInt32] = [:]

    package init() throws(HostSideError) {
        do {
            netlink = try RouteNetlink()
        } catch {
            throw HostSideError(interface: nil, action: "speak to the kernel", reason: "\(error)")
        }
    }

    /// Makes the host what `interfaces` ask for, and takes back what only an earlier call has asked for. What both ask
    /// for is not touched, and no packet goes another way meanwhile: addresses and routes come before earlier ones go. After
    /// an error everything is as it was before the call.
    package func apply(_ interfaces: [HostInterface], forwarding: Bool) throws(HostSideError) {
        indices = [:]
        for interface in interfaces { try find(interface.name) }
        var wanted = interfaces.flatMap(\.steps)
        if forwarding {
            wanted += keepingRouterAdvertisements(besides: interfaces)
            wanted.append(.setting(.forwardingV4, value: "1"))
            wanted.append(.setting(.forwardingV6, value: "1"))
        }
        if interfaces.contains(where: { !$0.rules.isEmpty }) {
            removeStaleRules()
            wanted += letting(inAnswersTo: interfaces)
        }
        let wantedSteps = Set(wanted)
        let kept = changes.filter { wantedSteps.contains($0.step) }
        let keptSteps = Set(kept.map(\.step))
        let surplus = changes.filter { !keptSteps.contains($0.step) }
        let new = wanted.filter { !keptSteps.contains($0) }
        let isLate = { (change: HostChange) in
            change.step.isOnLink && !new.contains { $0.isInTheWay(of: change.step) }
        }
        var undone: [HostChange] = []
        var added: [HostChange] = []
        do {
            for change in surplus.reversed() where !isLate(change) {
                try takeBack(change)
                undone.append(change)
            }
            for step in new { if let change = try take(step) { added.append(change) } }
            for change in surplus.reversed() where isLate(change) {
                try takeBack(change)
                undone.append(change)
            }
            // With the last IPv4 address of an interface the kernel takes its routes, with the first of a network the others.
            if !undone.isEmpty { for step in wanted where step.isOnLink { _ = try take(step) } }
            changes = kept + added
        } catch {
            for change in added.reversed() { try? takeBack(change) }
            for change in undone.reversed() { _ = try? take(change.step) }
            throw error
        }
    }

    /// Throws where forwarding could not be turned on, and changes nothing.
    package func checkForwarding() throws(HostSideError) {
        for setting in [Sysctl.forwardingV4, .forwardingV6] {
            let step = HostStep.setting(setting, value: "1")
            do throws(Errno) {
                if try setting.read() != "1" { try setting.checkWritable() }
            } catch {
                // A kernel without IPv6 forwards none.
                guard error != Errno(ENOENT) else { continue }
                throw HostSideError(interface: nil, action: step.making, reason: error.text)
            }
        }
    }

    /// Takes everything back, the last change first, and tells what could not be. To be called before the devices go.
    @discardableResult
    package func takeBack() -> [HostSideError] {
        var errors: [HostSideError] = []
        while let change = changes.popLast() {
            do {
                try takeBack(change)
            } catch {
                errors.append(error)
            }
        }
        return errors
    }

    /// A host that forwards forgets the default route that it has from a router advertisement, and takes no more: the
    /// uplink would be gone. So who listens to them goes on doing so.
    private func keepingRouterAdvertisements(besides own: [HostInterface]) -> [HostStep] {
        let listening = Sysctl.interfacesOnRouterAdvertisements.filter { name in !own.contains { $0.name == name } }
        let new = listening.map {
            HostStep.setting(.acceptRouterAdvertisements($0), value: "2", interface: $0, desirable: true)
        }
        return changes.map(\.step).filter(\.isForRouterAdvertisements) + new
    }

    /// A datagram of the tunnel's comes from where unmarked packets would not go, which a strict filter takes for forged.
    private func letting(inAnswersTo own: [HostInterface]) -> [HostStep] {
        let strict = Sysctl.interfacesFilteringStrictly.filter { name in !own.contains { $0.name == name } }
        let new = strict.map {
            HostStep.setting(.reversePathFilter($0), value: "2", interface: $0, desirable: true)
        }
        return changes.map(\.step).filter(\.isForReversePath) + new
    }

    /// What a router has left that did not come to taking it back: its interface is gone, and so are the routes that its
    /// rules lead to.
    private func removeStaleRules() {
        for family in [IPAddress.Family.v4, .v6] {
            for rule in (try? netlink.rules(family)) ?? [] {
                guard (try? netlink.hasRoutes(inTable: rule.unlessMarked)) == false else { continue }
                try? netlink.remove(rule)
            }
        }
    }

    private func find(_ interface: String) throws(HostSideError) {
        do {
            indices[interface] = try netlink.index(of: interface)
        } catch {
            throw HostSideError(interface: interface, action: "find the interface", reason: Self.reason(error))
        }
    }

    private func index(of interface: String) throws(NetlinkError) -> UInt32 {
        if let index = indices[interface] { return index }
        return try netlink.index(of: interface)
    }

    // MARK: One step

    /// Makes it so; nil when it was so already.
    private func take(_ step: HostStep) throws(HostSideError) -> HostChange? {
        do {
            return try makeSo(step).map { HostChange(step: step, before: $0) }
        } catch {
            if case .setting(_, _, _, desirable: true) = step { return nil }
            throw HostSideError(interface: step.interface, action: step.making, reason: Self.reason(error))
        }
    }

    private func makeSo(_ step: HostStep) throws -> HostChange.Before? {
        switch step {
        case .setting(let setting, let value, _, _):
            return try set(setting, to: value)
        case .noAddressGeneration(let interface):
            let link = try netlink.link(interface)
            guard let before = link.addressGeneration, before != Link.noAddressGeneration else { return nil }
            try netlink.setAddressGeneration(Link.noAddressGeneration, link: link.index)
            return .addressGeneration(before)
        case .mtu(let mtu, let interface):
            let link = try netlink.link(interface)
            guard link.mtu != mtu else { return nil }
            try netlink.setMTU(mtu, link: link.index)
            return .mtu(link.mtu)
        case .up(let interface):
            let link = try netlink.link(interface)
            guard !link.isUp else { return nil }
            try netlink.setUp(true, link: link.index)
            return .absent
        case .address(let address, let interface):
            let link = try index(of: interface)
            do {
                try netlink.add(address, link: link)
                return .absent
            } catch  where error.errno == Errno(EEXIST) {
                return nil
            }
        case .rule(let rule, _):
            try netlink.add(rule)
            return .absent
        case .route(let route, let interface):
            let link = try index(of: interface)
            do {
                try netlink.add(route, link: link)
                return .absent
            } catch  where error.errno == Errno(EEXIST) {
                guard try netlink.routes(link: link).contains(Self.asListed(route)) else { throw error }
                return nil
            }
        }
    }

    private func takeBack(_ change: HostChange) throws(HostSideError) {
        do {
            try undo(change)
        } catch {
            guard !Self.meansGone(error) else { return }
            throw HostSideError(
                interface: change.step.interface, action: change.step.takingBack, reason: Self.reason(error))
        }
    }

    private func undo(_ change: HostChange) throws {
        switch (change.step, change.before) {
        case (.setting(let setting, let value, _, _), .value(let before, let overwritten)):
            // Someone else may have set it since; then it is theirs.
            guard try setting.read() == value else { return }
            try setting.write(before)
            for other in overwritten { try? other.write("1") }
        case (.noAddressGeneration(let interface), .addressGeneration(let before)):
            try netlink.setAddressGeneration(before, link: netlink.index(of: interface))
        case (.mtu(_, let interface), .mtu(let before)):
            try netlink.setMTU(before, link: netlink.index(of: interface))
        case (.up(let interface), _):
            try netlink.setUp(false, link: netlink.index(of: interface))
        case (.address(let address, let interface), _):
            try netlink.remove(address, link: netlink.index(of: interface))
        case (.route(let route, let interface), _):
            try netlink.remove(route, link: netlink.index(of: interface))
        case (.rule(let rule, _), _):
            try netlink.remove(rule)
        case (.setting, _), (.mtu, _), (.noAddressGeneration, _):
            break
        }
    }

    /// Writes a setting unless it has the value, or the host has no such setting: a kernel without IPv6 forwards none.
    private func set(_ setting: Sysctl, to value: String) throws(Errno) -> HostChange.Before? {
        let before: String
        do {
            before = try setting.read()
        } catch  where error == Errno(ENOENT) {
            return nil
        }
        guard before != value else { return nil }
        var overwritten: [Sysctl] = []
        if setting == .forwardingV4 { overwritten = Self.forwarding(.v4) }
        if setting == .forwardingV6 { overwritten = Self.forwarding(.v6) }
        try setting.write(value)
        return .value(before, overwritten: overwritten)
    }

    /// The interfaces' own switches that are on while the one for all is off.
    private static func forwarding(_ family: IPAddress.Family) -> [Sysctl] {
        Sysctl.forwardingOfInterfaces(family).filter { (try? $0.read()) == "1" }
    }

    /// A route as the kernel lists it, which fills in the metric of IPv6 routes (IP6_RT_PRIO_USER).
    private static func asListed(_ route: Route) -> Route {
        var route = route
        switch route.prefix.family {
        case .v4: if route.metric == 0 { route.metric = nil }
        case .v6: if route.metric == nil || route.metric == 0 { route.metric = 1024 }
        }
        return route
    }

    /// There is nothing left to take back: the interface, the address or the route has gone by other hands.
    private static func meansGone(_ error: any Error) -> Bool {
        let errno = (error as? NetlinkError)?.errno ?? error as? Errno
        return [ENODEV, ESRCH, EADDRNOTAVAIL, ENOENT].contains(errno?.rawValue)
    }

    private static func reason(_ error: any Error) -> String { (error as? Errno)?.text ?? "\(error)" }
}
