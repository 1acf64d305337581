import Configuration
import Glibc
import Linux
import Pipeline

/// The marks of interfaces that take the host's default route (`routes: true` with a /0).
///
/// Their own datagrams carry a mark, and whatever does not goes into the tunnel (`HostInterface.divertDefaultRoutes`).
enum PolicyRouting {
    /// Where the search begins: 51820, as with wg-quick.
    static let firstMark: UInt32 = 0xca6c
    /// How many tables are looked at.
    static let searchBound: UInt32 = 1024

    /// Gives each such interface of a file that has none a mark whose table is empty; `held` are those, by interface, whose
    /// tables are in use by ourselves.
    static func chooseMarks(
        _ configuration: inout RouterConfiguration, held: [String: UInt32] = [:]
    ) throws(HostSideError) {
        guard configuration.interfaces.contains(where: \.takesDefaultRoute) else { return }
        var netlink: RouteNetlink
        do {
            netlink = try RouteNetlink()
        } catch {
            throw HostSideError(interface: nil, action: "speak to the kernel", reason: "\(error)")
        }
        var taken = Set(configuration.interfaces.map(\.fwmark)).union(held.values)
        for index in configuration.interfaces.indices where configuration.interfaces[index].takesDefaultRoute {
            let interface = configuration.interfaces[index]
            do throws(NetlinkError) {
                if let mark = held[interface.name.value], [0, mark].contains(interface.fwmark) {
                    configuration.interfaces[index].fwmark = mark
                } else if interface.fwmark == 0 {
                    let mark = try freeMark(&netlink, taken)
                    taken.insert(mark)
                    configuration.interfaces[index].fwmark = mark
                } else if try netlink.hasRoutes(inTable: interface.fwmark) {
                    throw NetlinkError(Errno(EEXIST), message: "table \(interface.fwmark) has routes of others")
                }
            } catch {
                throw HostSideError(
                    interface: interface.name.value, action: "have a routing table of its own for the default route",
                    reason: error.message.isEmpty ? error.errno.text : error.message)
            }
        }
    }

    private static func freeMark(_ netlink: inout RouteNetlink, _ taken: Set<UInt32>) throws(NetlinkError) -> UInt32 {
        for mark in firstMark..<firstMark + searchBound where !taken.contains(mark) {
            if try !netlink.hasRoutes(inTable: mark) { return mark }
        }
        throw NetlinkError(
            Errno(EEXIST), message: "tables \(firstMark) to \(firstMark + searchBound - 1) are all in use")
    }
}
