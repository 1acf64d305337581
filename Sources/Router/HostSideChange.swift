import Linux
import Wire

/// One thing that is to be so on the host.
enum HostStep: Hashable, Sendable {
    /// `interface` is for messages. A desirable setting that cannot be made is left as it is: in a container
    /// /proc/sys may be read-only, and the tunnel works without it.
    case setting(Sysctl, value: String, interface: String? = nil, desirable: Bool = false)
    case noAddressGeneration(interface: String)
    case mtu(Int, interface: String)
    case address(InterfaceAddress, interface: String)
    case up(interface: String)
    case route(Route, interface: String)
    case rule(RoutingRule, interface: String)

    var interface: String? {
        switch self {
        case .setting(_, _, let interface, _): interface
        case .noAddressGeneration(let interface), .mtu(_, let interface), .address(_, let interface),
            .up(let interface), .route(_, let interface), .rule(_, let interface):
            interface
        }
    }

    /// An address or a route, of which an interface may have old and new ones side by side.
    var isOnLink: Bool {
        switch self {
        case .address, .route: true
        default: false
        }
    }

    /// Whether the kernel takes one of the two only where the other is not.
    func isInTheWay(of other: HostStep) -> Bool {
        guard case .route(let one, _) = self, case .route(let two, _) = other else { return false }
        return one.prefix == two.prefix && one.table == two.table && one.metric == two.metric
    }

    var isForRouterAdvertisements: Bool {
        guard case .setting(let setting, _, let interface?, _) = self else { return false }
        return setting == .acceptRouterAdvertisements(interface)
    }

    var isForReversePath: Bool {
        guard case .setting(let setting, _, let interface?, _) = self else { return false }
        return setting == .reversePathFilter(interface)
    }

    /// What is done when it is made so, for messages.
    var making: String {
        switch self {
        case .setting(let setting, let value, _, _): "set \(setting.path) to \(value)"
        case .noAddressGeneration: "keep it without IPv6 link-local addresses"
        case .mtu(let mtu, _): "set the MTU to \(mtu)"
        case .address(let address, _): "add address \(address)"
        case .up: "bring it up"
        case .route(let route, _): "add route \(route.prefix)"
        case .rule(let rule, _): "add the IP\(rule.family) rule for table \(rule.table)"
        }
    }

    var takingBack: String {
        switch self {
        case .setting(let setting, _, _, _): "set \(setting.path) back"
        case .noAddressGeneration: "let it make IPv6 link-local addresses again"
        case .mtu: "set the MTU back"
        case .address(let address, _): "remove address \(address)"
        case .up: "take it down"
        case .route(let route, _): "remove route \(route.prefix)"
        case .rule(let rule, _): "remove the IP\(rule.family) rule for table \(rule.table)"
        }
    }
}

/// A step that was taken, and how it was before.
struct HostChange: Sendable {
    enum Before: Sendable {
        /// It was not there.
        case absent
        /// The setting's value, and those that writing it has overwritten.
        case value(String, overwritten: [Sysctl])
        case mtu(Int)
        case addressGeneration(UInt8)
    }

    let step: HostStep
    let before: Before
}

/// What could not be done on the host, as the user reads it: `wg0: cannot add route 10.0.0.0/8: File exists`.
package struct HostSideError: Error, Hashable, Sendable, CustomStringConvertible {
    package let interface: String?
    package let action: String
    package let reason: String

    package var description: String {
        (interface.map { "\($0): " } ?? "") + "cannot \(action): \(reason)"
    }
}
