import CMNL
import Glibc

// Links of other network namespaces, without being there: that would take CAP_SYS_ADMIN.
extension RouteNetlink {
    /// The number by which this socket's namespace knows another one, made if there is none yet.
    package mutating func number(of namespace: borrowing NetworkNamespace) throws(NetlinkError) -> Int32 {
        if let known = try knownNumber(of: namespace) { return known }
        var request = NetlinkRequest(CInt(RTM_NEWNSID))
        request.put(header: rtgenmsg())
        request.put(Int(NETNSA_FD), UInt32(namespace.descriptor.rawValue))
        request.put(Int(NETNSA_NSID), UInt32(bitPattern: NETNSA_NSID_NOT_ASSIGNED))
        try socket.exchange(request)
        guard let made = try knownNumber(of: namespace) else { throw NetlinkError(Errno(ENOENT)) }
        return made
    }

    private mutating func knownNumber(of namespace: borrowing NetworkNamespace) throws(NetlinkError) -> Int32? {
        var request = NetlinkRequest(CInt(RTM_GETNSID))
        request.put(header: rtgenmsg())
        request.put(Int(NETNSA_FD), UInt32(namespace.descriptor.rawValue))
        var number: Int32?
        try socket.exchange(request) { message in
            message.forEachAttribute(after: MemoryLayout<rtgenmsg>.size) {
                if $0.type == Int(NETNSA_NSID) { number = $0.u32.map { Int32(bitPattern: $0) } }
            }
        }
        return number == NETNSA_NSID_NOT_ASSIGNED ? nil : number
    }
}
