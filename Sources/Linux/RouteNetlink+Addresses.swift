import CMNL
import Glibc
import Wire

extension RouteNetlink {
    /// Puts an address on an interface; EEXIST when it is there.
    ///
    /// An IPv6 address is usable at once, without duplicate address detection: a tunnel has no neighbours to ask.
    package mutating func add(_ address: InterfaceAddress, link index: UInt32) throws(NetlinkError) {
        try exchange(CInt(RTM_NEWADDR), NLM_F_CREATE | NLM_F_EXCL, address, index)
    }

    /// Takes an address off an interface; EADDRNOTAVAIL when it is not there.
    package mutating func remove(_ address: InterfaceAddress, link index: UInt32) throws(NetlinkError) {
        try exchange(CInt(RTM_DELADDR), 0, address, index)
    }

    /// The addresses on an interface, of both families.
    package mutating func addresses(link index: UInt32) throws(NetlinkError) -> [InterfaceAddress] {
        var request = NetlinkRequest(CInt(RTM_GETADDR), flags: NLM_F_DUMP)
        request.put(header: ifaddrmsg())
        var found: [InterfaceAddress] = []
        try socket.exchange(request) { message in
            Self.address(in: message, link: index).map { found.append($0) }
        }
        return found
    }

    static func address(in message: NetlinkMessage, link index: UInt32) -> InterfaceAddress? {
        guard let head = message.payload(as: ifaddrmsg.self), head.ifa_index == index else { return nil }
        var local: IPAddress?
        var address: IPAddress?
        message.forEachAttribute(after: MemoryLayout<ifaddrmsg>.size) {
            switch $0.type {
            case Int(IFA_LOCAL): local = $0.address
            case Int(IFA_ADDRESS): address = $0.address
            default: break
            }
        }
        // IFA_ADDRESS is the far end where there is one; IPv6 has only it otherwise.
        guard let own = local ?? address else { return nil }
        return InterfaceAddress(own, prefixLength: Int(head.ifa_prefixlen))
    }

    private mutating func exchange(
        _ type: CInt, _ flags: CInt, _ address: InterfaceAddress, _ index: UInt32
    ) throws(NetlinkError) {
        var head = ifaddrmsg()
        head.ifa_family = UInt8(address.address.family == .v4 ? AF_INET : AF_INET6)
        head.ifa_prefixlen = UInt8(address.prefixLength)
        head.ifa_flags = address.address.family == .v6 ? UInt8(IFA_F_NODAD) : 0
        head.ifa_scope = UInt8(
            address.address.isLinkLocal ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
        head.ifa_index = index
        var request = NetlinkRequest(type, flags: flags)
        request.put(header: head)
        request.put(Int(IFA_LOCAL), address.address)
        request.put(Int(IFA_ADDRESS), address.address)
        try socket.exchange(request)
    }
}
