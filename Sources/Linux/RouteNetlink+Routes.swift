import CMNL
import Glibc
import Wire

extension RouteNetlink {
    /// Adds a route out of an interface; EEXIST when its table has one for the prefix with the same metric, whatever
    /// interface that one goes to.
    package mutating func add(_ route: Route, link index: UInt32) throws(NetlinkError) {
        try exchange(CInt(RTM_NEWROUTE), NLM_F_CREATE | NLM_F_EXCL, route, index)
    }

    /// Removes a route as `add` has made it; ESRCH when it is not there.
    package mutating func remove(_ route: Route, link index: UInt32) throws(NetlinkError) {
        try exchange(CInt(RTM_DELROUTE), 0, route, index)
    }

    /// The unicast routes out of an interface, of both families and every table, whoever made them.
    package mutating func routes(link index: UInt32) throws(NetlinkError) -> [Route] {
        var request = NetlinkRequest(CInt(RTM_GETROUTE), flags: NLM_F_DUMP)
        request.put(header: rtmsg())
        var found: [Route] = []
        try socket.exchange(request) { message in Self.route(in: message, link: index).map { found.append($0) } }
        return found
    }

    /// The MTUs that routes out of an interface have of their own, in whatever table (RTAX_MTU).
    package mutating func routeMTUs(link index: UInt32) throws(NetlinkError) -> Set<Int> {
        var request = NetlinkRequest(CInt(RTM_GETROUTE), flags: NLM_F_DUMP)
        request.put(header: rtmsg())
        var found: Set<Int> = []
        try socket.exchange(request) { message in Self.mtu(in: message, link: index).map { _ = found.insert($0) } }
        return found
    }

    static func mtu(in message: NetlinkMessage, link index: UInt32) -> Int? {
        guard message.payload(as: rtmsg.self) != nil else { return nil }
        var interface: UInt32?
        var mtu: UInt32?
        message.forEachAttribute(after: MemoryLayout<rtmsg>.size) { attribute in
            switch attribute.type {
            case Int(RTA_OIF.rawValue): interface = attribute.u32
            case Int(RTA_METRICS.rawValue):
                attribute.forEachNested { if $0.type == Int(RTAX_MTU) { mtu = $0.u32 } }
            default: break
            }
        }
        // A route of several hops names no interface here: one limit more does no harm.
        return interface == nil || interface == index ? mtu.map { Int($0) } : nil
    }

    /// Whether a table has a route of either family, whoever made it.
    package mutating func hasRoutes(inTable number: UInt32) throws(NetlinkError) -> Bool {
        var request = NetlinkRequest(CInt(RTM_GETROUTE), flags: NLM_F_DUMP)
        request.put(header: rtmsg())
        var isFound = false
        try socket.exchange(request) { message in
            guard let head = message.payload(as: rtmsg.self) else { return }
            var table = UInt32(head.rtm_table)
            message.forEachAttribute(after: MemoryLayout<rtmsg>.size) {
                if $0.type == Int(RTA_TABLE.rawValue) { table = $0.u32 ?? table }
            }
            if table == number { isFound = true }
        }
        return isFound
    }

    static func route(in message: NetlinkMessage, link index: UInt32) -> Route? {
        guard let head = message.payload(as: rtmsg.self), head.rtm_type == UInt8(RTN_UNICAST) else { return nil }
        guard var destination = anyAddress(CInt(head.rtm_family)) else { return nil }
        var interface: UInt32?
        var table = UInt32(head.rtm_table)
        var metric: UInt32?
        message.forEachAttribute(after: MemoryLayout<rtmsg>.size) {
            switch $0.type {
            case Int(RTA_DST.rawValue): destination = $0.address ?? destination
            case Int(RTA_OIF.rawValue): interface = $0.u32
            case Int(RTA_TABLE.rawValue): table = $0.u32 ?? table
            case Int(RTA_PRIORITY.rawValue): metric = $0.u32
            default: break
            }
        }
        guard interface == index, let prefix = Prefix(destination, length: Int(head.rtm_dst_len)) else { return nil }
        return Route(prefix, table: table, metric: metric)
    }

    /// Whether a datagram on `path` would still go from its source out of the interface that this came with: the
    /// question to ask of what was learned, once a `RouteMonitor` has told of a change (P-6.3).
    ///
    /// A send names that interface, and IPv4 then takes any destination for its neighbour: a route that has moved
    /// elsewhere would lose every datagram without an error. (An IPv6 source that is gone the route does not show; the
    /// next send does.)
    package mutating func holds(_ path: Path, mark: UInt32 = 0) -> Bool {
        guard let local = path.local else { return true }
        do {
            let way = try way(to: path.remote, from: local.address, mark: mark)
            return local.interface == 0 || way.interface == local.interface
        } catch {
            return false
        }
    }

    /// Where the kernel would send a packet to `destination` now: the interface, and the source that it would choose.
    /// ENETUNREACH when there is no way.
    package mutating func way(to destination: IPAddress, mark: UInt32 = 0) throws(NetlinkError) -> LocalAddress {
        try way(to: Endpoint(address: destination, port: 0), from: nil, mark: mark)
    }

    private mutating func way(
        to remote: Endpoint, from own: IPAddress?, mark: UInt32
    ) throws(NetlinkError) -> LocalAddress {
        let destination = remote.address
        var head = rtmsg()
        head.rtm_family = Self.family(destination.family)
        head.rtm_dst_len = UInt8(destination.family.bitWidth)
        if own != nil { head.rtm_src_len = head.rtm_dst_len }
        var request = NetlinkRequest(CInt(RTM_GETROUTE))
        request.put(header: head)
        request.put(Int(RTA_DST.rawValue), destination)
        if let own { request.put(Int(RTA_SRC.rawValue), own) }
        if remote.scope != 0 { request.put(Int(RTA_OIF.rawValue), remote.scope) }
        if mark != 0 { request.put(Int(RTA_MARK.rawValue), mark) }
        var interface: UInt32 = 0
        var source: IPAddress?
        try socket.exchange(request) { message in
            let way = Self.way(in: message)
            interface = way.interface ?? interface
            source = way.source ?? source
        }
        guard let source = own ?? source else { throw NetlinkError(Errno(ENETUNREACH)) }
        return LocalAddress(address: source, interface: interface)
    }

    static func way(in message: NetlinkMessage) -> (interface: UInt32?, source: IPAddress?) {
        var way: (interface: UInt32?, source: IPAddress?) = (nil, nil)
        message.forEachAttribute(after: MemoryLayout<rtmsg>.size) {
            switch $0.type {
            case Int(RTA_OIF.rawValue): way.interface = $0.u32
            case Int(RTA_PREFSRC.rawValue): way.source = $0.address
            default: break
            }
        }
        return way
    }

    private mutating func exchange(
        _ type: CInt, _ flags: CInt, _ route: Route, _ index: UInt32
    ) throws(NetlinkError) {
        var head = rtmsg()
        head.rtm_family = Self.family(route.prefix.family)
        head.rtm_dst_len = UInt8(route.prefix.length)
        // Tables above 255 stand in RTA_TABLE alone.
        head.rtm_table = UInt8(route.table < 256 ? route.table : UInt32(RT_TABLE_UNSPEC.rawValue))
        head.rtm_protocol = UInt8(RTPROT_STATIC)
        head.rtm_scope = UInt8(RT_SCOPE_LINK.rawValue)
        head.rtm_type = UInt8(RTN_UNICAST)
        var request = NetlinkRequest(type, flags: flags)
        request.put(header: head)
        request.put(Int(RTA_DST.rawValue), route.prefix.address)
        request.put(Int(RTA_OIF.rawValue), index)
        request.put(Int(RTA_TABLE.rawValue), route.table)
        if let metric = route.metric { request.put(Int(RTA_PRIORITY.rawValue), metric) }
        try socket.exchange(request)
    }

    static func family(_ family: IPAddress.Family) -> UInt8 { UInt8(family == .v4 ? AF_INET : AF_INET6) }

    private static func anyAddress(_ family: CInt) -> IPAddress? {
        switch family {
        case AF_INET: IPAddress(v4: 0)
        case AF_INET6: IPAddress(v6High: 0, low: 0)
        default: nil
        }
    }
}
