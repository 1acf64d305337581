import Configuration
import Glibc
import Linux
import Pipeline
import Wire

/// The system's resolver. A look-up cannot be interrupted, and takes many seconds where nobody answers.
enum NameLookup {
    /// The addresses of an endpoint, those that there is a route to first, otherwise in the order of RFC 6724; none where
    /// the name is not known.
    static func endpoints(of endpoint: HostPort, mark: UInt32) -> [Endpoint] {
        switch endpoint.host {
        case .address(let address, let zone):
            let scope = zone.map { unsafe if_nametoindex($0) } ?? 0
            return zone != nil && scope == 0 ? [] : [Endpoint(address: address, port: endpoint.port, scope: scope)]
        case .name(let name):
            return routableFirst(addresses(of: name), mark).map { Endpoint(address: $0, port: endpoint.port) }
        }
    }

    private static func routableFirst(_ addresses: [IPAddress], _ mark: UInt32) -> [IPAddress] {
        guard addresses.count > 1, var netlink = try? RouteNetlink() else { return addresses }
        var (routable, others): ([IPAddress], [IPAddress]) = ([], [])
        for address in addresses {
            if (try? netlink.way(to: address, mark: mark)) != nil {
                routable.append(address)
            } else {
                others.append(address)
            }
        }
        return routable + others
    }

    /// In the order of RFC 6724, as getaddrinfo(3) gives them, each once.
    private static func addresses(of name: String) -> [IPAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [IPAddress] = []
        var entry = unsafe list
        while let info = unsafe entry?.pointee {
            if let raw = unsafe UnsafeRawPointer(info.ai_addr) {
                let address: IPAddress? =
                    switch unsafe info.ai_family {
                    case AF_INET: unsafe IPAddress(v4At: raw + offsetInSockaddrIn)
                    case AF_INET6: unsafe IPAddress(v6At: raw + offsetInSockaddrIn6)
                    default: nil
                    }
                if let address, !addresses.contains(address) { addresses.append(address) }
            }
            unsafe entry = info.ai_next
        }
        return addresses
    }

    /// Behind family and port; with IPv6 behind the flow information too (netinet/in.h).
    private static let offsetInSockaddrIn = 4
    private static let offsetInSockaddrIn6 = 8
}
