import Glibc
import Wire

/// An endpoint as the kernel writes it: sockaddr_in or sockaddr_in6 in raw memory.
enum SocketAddress {
    /// Enough for either.
    static let capacity = MemoryLayout<sockaddr_in6>.stride

    /// Writes `endpoint` and says how many bytes it takes. The scope goes with it: it is the way out of a link-local
    /// address (P-6.7).
    static func store(_ endpoint: Endpoint, to memory: UnsafeMutableRawPointer) -> socklen_t {
        switch endpoint.address.family {
        case .v4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = endpoint.port.bigEndian
            address.sin_addr.s_addr = endpoint.address.v4Bits.bigEndian
            unsafe memory.storeBytes(of: address, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        case .v6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = endpoint.port.bigEndian
            address.sin6_scope_id = endpoint.scope
            unsafe memory.storeBytes(of: address, as: sockaddr_in6.self)
            unsafe endpoint.address.store(to: memory + addressOffsetV6)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
    }

    /// The endpoint in `count` bytes that the kernel has written; nil for another family.
    static func load(from memory: UnsafeRawPointer, count: socklen_t) -> Endpoint? {
        guard count >= socklen_t(MemoryLayout<sockaddr_in>.size) else { return nil }
        switch CInt(unsafe memory.load(as: sa_family_t.self)) {
        case AF_INET:
            let address = unsafe memory.load(as: sockaddr_in.self)
            return Endpoint(
                address: IPAddress(v4: UInt32(bigEndian: address.sin_addr.s_addr)),
                port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where count >= socklen_t(MemoryLayout<sockaddr_in6>.size):
            let address = unsafe memory.load(as: sockaddr_in6.self)
            return unsafe Endpoint(
                address: IPAddress(v6At: memory + addressOffsetV6),
                port: UInt16(bigEndian: address.sin6_port), scope: address.sin6_scope_id)
        default:
            return nil
        }
    }

    /// Where sin6_addr stands: behind family, port and flow label.
    private static let addressOffsetV6 = 8
}
