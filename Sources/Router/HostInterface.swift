import Linux
import Wire

/// What one WireGuard interface is to be on the host. The device is there already; it is its maker's.
package struct HostInterface: Hashable, Sendable {
    package var name: String
    package var mtu: Int
    package var addresses: [InterfaceAddress]
    package var routes: [Route]
    package var rules: [RoutingRule] = []
    /// False for an interface that others bring up.
    package var comesUp = true

    package init(name: String, mtu: Int, addresses: [InterfaceAddress] = [], routes: [Route] = []) {
        self.name = name
        self.mtu = mtu
        self.addresses = addresses
        self.routes = routes
    }

    /// In the order in which the kernel takes them: routes need the interface up.
    var steps: [HostStep] {
        [
            .noAddressGeneration(interface: name),
            .setting(.sendRedirects(name), value: "0", interface: name, desirable: true),
            .setting(.sendRedirects("all"), value: "0", desirable: true),
            .setting(.promoteSecondaries(name), value: "1", interface: name, desirable: true),
            .mtu(mtu, interface: name),
        ] + addresses.map { .address($0, interface: name) } + (comesUp ? [.up(interface: name)] : [])
            + routes.map { .route($0, interface: name) } + rules.map { .rule($0, interface: name) }
    }

    /// Sends everything into the tunnel that has no better route, but for the tunnel's own datagrams, which carry
    /// `mark`: the routes to 0.0.0.0/0 and ::/0 go into a table of their own, numbered as the mark, where all without
    /// the mark look after the main table's routes, its default route left out. Other routes stay as they are.
    package mutating func divertDefaultRoutes(mark: UInt32) {
        for index in routes.indices where routes[index].prefix.length == 0 && routes[index].table == Route.mainTable {
            let family = routes[index].prefix.family
            routes[index].table = mark
            // The later rule is asked first.
            rules.append(RoutingRule(family, unlessMarked: mark, table: mark))
            rules.append(
                RoutingRule(family, unlessMarked: mark, table: Route.mainTable, suppressedPrefixLength: 0))
        }
    }
}
