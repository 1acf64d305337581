import CMNL
import Glibc

/// Tells that links, addresses or routes have changed, so that what was learned of the way to a peer may not hold any
/// more: its source may be gone, or the route may leave by another interface now (P-6.3).
///
/// It says that, not what: whoever is told asks `RouteNetlink.way` again, or forgets.
@safe package struct RouteMonitor: ~Copyable {
    /// The most datagrams read in one `drain`; what is left makes the descriptor ready again.
    private static let drainBound = 64
    private static let bufferSize = 32 << 10

    private let descriptor: FileDescriptor
    private let buffer: UnsafeMutableRawPointer

    /// Everything that a way may depend on.
    package static let all = [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
    ]
    /// Whether links are there, up, and how much they take; and what routes take.
    package static let mtus = [RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE]

    /// True for a change of a link, and of a route that has metrics, the MTU among them.
    package static func concernsMTU(_ message: NetlinkMessage) -> Bool {
        switch message.type {
        case CInt(RTM_NEWROUTE), CInt(RTM_DELROUTE):
            var hasMetrics = false
            message.forEachAttribute(after: MemoryLayout<rtmsg>.size) {
                if $0.type == Int(RTA_METRICS.rawValue) { hasMetrics = true }
            }
            return hasMetrics
        default:
            return true
        }
    }

    package init(_ groups: [rtnetlink_groups] = RouteMonitor.all) throws(Errno) {
        descriptor = try Self.open(groups)
        unsafe buffer = .allocate(byteCount: Self.bufferSize, alignment: 8)
    }

    deinit { unsafe buffer.deallocate() }

    /// For `Epoll.add`.
    package var rawValue: CInt { descriptor.rawValue }

    /// Reads what has come; true when something has changed since the last time that `matters`. More changes than the
    /// socket holds are changes too (ENOBUFS).
    package func drain(where matters: (NetlinkMessage) -> Bool = { _ in true }) -> Bool {
        var hasChanged = false
        for _ in 0..<Self.drainBound {
            let count = unsafe recv(descriptor.rawValue, buffer, Self.bufferSize, CInt(MSG_DONTWAIT))
            if count > 0 {
                unsafe NetlinkReply.forEach(in: UnsafeRawBufferPointer(start: buffer, count: count)) {
                    if !hasChanged, matters($0) { hasChanged = true }
                }
            } else if count < 0 && errno == ENOBUFS {
                hasChanged = true
            } else if count == 0 || errno != EINTR {
                break
            }
        }
        return hasChanged
    }

    private static func open(_ groups: [rtnetlink_groups]) throws(Errno) -> FileDescriptor {
        let type = CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = try FileDescriptor(Glibc.socket(AF_NETLINK, type, NETLINK_ROUTE), "netlink socket")
        // Without a number of its own, which the bind gives, a socket is passed over.
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket.rawValue, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        try Errno.check(bound, "netlink bind")
        for group in groups {
            try SocketOption.set(
                socket.rawValue, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, CInt(group.rawValue), "netlink group")
        }
        return socket
    }
}
