import CMNL
import Glibc
import Wire

extension RouteNetlink {
    /// The interface called `name`, here or in the namespace of a number (`number(of:)`); ENODEV when there is none.
    package mutating func link(_ name: String, inNamespace number: Int32? = nil) throws(NetlinkError) -> Link {
        var request = NetlinkRequest(CInt(RTM_GETLINK))
        request.put(header: ifinfomsg())
        if let number { request.put(Int(IFLA_TARGET_NETNSID), UInt32(bitPattern: number)) }
        request.put(Int(IFLA_IFNAME), name)
        var found: Link?
        try socket.exchange(request) { found = Self.link(in: $0, name) ?? found }
        guard let found else { throw NetlinkError(Errno(ENODEV)) }
        return found
    }

    static func link(in message: NetlinkMessage, _ name: String) -> Link? {
        guard let head = message.payload(as: ifinfomsg.self) else { return nil }
        var link = Link(
            index: UInt32(bitPattern: head.ifi_index), name: name, mtu: 0, isUp: head.ifi_flags & UInt32(IFF_UP) != 0)
        message.forEachAttribute(after: MemoryLayout<ifinfomsg>.size) {
            switch $0.type {
            case Int(IFLA_MTU): link.mtu = $0.u32.map { Int($0) } ?? 0
            case Int(IFLA_AF_SPEC): link.addressGeneration = addressGeneration(in: $0)
            default: break
            }
        }
        return link
    }

    /// The index of the interface called `name`.
    package mutating func index(of name: String) throws(NetlinkError) -> UInt32 { try link(name).index }

    package mutating func setUp(_ isUp: Bool, link index: UInt32) throws(NetlinkError) {
        let up = UInt32(IFF_UP)
        let request = Self.change(index, flags: isUp ? up : 0, mask: up)
        try socket.exchange(request)
    }

    package mutating func setMTU(_ mtu: Int, link index: UInt32) throws(NetlinkError) {
        var request = Self.change(index)
        request.put(Int(IFLA_MTU), UInt32(truncatingIfNeeded: mtu))
        try socket.exchange(request)
    }

    /// Sets how the kernel makes IPv6 link-local addresses: `Link.noAddressGeneration` keeps it from it (P-9.9).
    ///
    /// Through netlink it takes effect when the interface next comes up; writing the sysctl makes addresses at once,
    /// on an interface that is down too.
    package mutating func setAddressGeneration(_ mode: UInt8, link index: UInt32) throws(NetlinkError) {
        var request = Self.change(index)
        request.nest(Int(IFLA_AF_SPEC)) {
            $0.nest(Int(AF_INET6)) { $0.put(Int(IFLA_INET6_ADDR_GEN_MODE), byte: mode) }
        }
        try socket.exchange(request)
    }

    private static func addressGeneration(in families: NetlinkAttribute) -> UInt8? {
        var mode: UInt8?
        families.forEachNested { family in
            guard family.type == Int(AF_INET6) else { return }
            family.forEachNested { if $0.type == Int(IFLA_INET6_ADDR_GEN_MODE) { mode = $0.u8 } }
        }
        return mode
    }

    private static func change(_ index: UInt32, flags: UInt32 = 0, mask: UInt32 = 0) -> NetlinkRequest {
        var head = ifinfomsg()
        head.ifi_index = CInt(bitPattern: index)
        head.ifi_flags = flags
        head.ifi_change = mask
        var request = NetlinkRequest(CInt(RTM_NEWLINK))
        request.put(header: head)
        return request
    }

    // MARK: Links that are made: what topologies are built of

    /// A pair of interfaces, each the other's far end.
    package mutating func addVeth(_ name: String, peer: String) throws(NetlinkError) {
        try addVeth(name, peer: peer, namespace: nil)
    }

    /// A pair of interfaces, the far end in another network namespace.
    package mutating func addVeth(
        _ name: String, peer: String, in namespace: borrowing NetworkNamespace
    ) throws(NetlinkError) {
        try addVeth(name, peer: peer, namespace: namespace.descriptor.rawValue)
    }

    private mutating func addVeth(_ name: String, peer: String, namespace: CInt?) throws(NetlinkError) {
        var request = NetlinkRequest(CInt(RTM_NEWLINK), flags: NLM_F_CREATE | NLM_F_EXCL)
        request.put(header: ifinfomsg())
        request.put(Int(IFLA_IFNAME), name)
        request.nest(Int(IFLA_LINKINFO)) {
            $0.put(Int(IFLA_INFO_KIND), "veth")
            $0.nest(Int(IFLA_INFO_DATA)) {
                $0.nest(Int(VETH_INFO_PEER)) {
                    $0.put(header: ifinfomsg())
                    $0.put(Int(IFLA_IFNAME), peer)
                    if let namespace { $0.put(Int(IFLA_NET_NS_FD), UInt32(bitPattern: namespace)) }
                }
            }
        }
        try socket.exchange(request)
    }

    package mutating func remove(link index: UInt32) throws(NetlinkError) {
        var head = ifinfomsg()
        head.ifi_index = CInt(bitPattern: index)
        var request = NetlinkRequest(CInt(RTM_DELLINK))
        request.put(header: head)
        try socket.exchange(request)
    }
}
