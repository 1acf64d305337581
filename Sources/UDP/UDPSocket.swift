import CLinux
import Glibc
import Linux
import Wire

/// What a socket has of the offloads that were asked for.
package struct UDPOffloads: Hashable, Sendable {
    package var segmentation: Bool
    package var coalescing: Bool
}

/// Makes one bound socket.
enum UDPSocket {
    /// Both buffers: at the kernel's default a run or two fill them (P-6.8).
    static let bufferSize: CInt = 7 << 20

    /// Binds a nonblocking socket to every address of `family`.
    ///
    /// `sharing`: joins the sockets that the port's first one lets in (`share`); without it the port must be free.
    static func open(
        _ family: IPAddress.Family, port: UInt16, sharing: Bool, options: UDPOptions, offloads: inout UDPOffloads
    ) throws(Errno) -> FileDescriptor {
        let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = try FileDescriptor(
            Glibc.socket(family == .v4 ? AF_INET : AF_INET6, type, CInt(IPPROTO_UDP)), "socket")
        try configure(socket.rawValue, family, options)
        offloads = probe(socket.rawValue, options)
        if sharing { try share(socket.rawValue) }
        try bind(socket.rawValue, family, port)
        return socket
    }

    /// Lets further sockets with SO_REUSEPORT bind to this one's port.
    ///
    /// Said after the bind, the first bind of a port is exclusive: it fails when any other socket has the port, one
    /// with SO_REUSEPORT included, which two programs would otherwise share without a word.
    static func share(_ socket: CInt) throws(Errno) {
        try SocketOption.set(socket, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT")
    }

    /// The port that it is bound to.
    static func port(of socket: CInt) throws(Errno) -> UInt16 {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(socket, $0, &size) }
        }
        try Errno.check(result, "getsockname")
        return unsafe withUnsafeBytes(of: &address) { memory in
            guard let start = memory.baseAddress else { return 0 }
            return unsafe SocketAddress.load(from: start, count: size)?.port ?? 0
        }
    }

    private static func configure(
        _ socket: CInt, _ family: IPAddress.Family, _ options: UDPOptions
    ) throws(Errno) {
        switch family {
        case .v4:
            let level = CInt(IPPROTO_IP)
            try SocketOption.set(socket, level, IP_PKTINFO, 1, "IP_PKTINFO")
            try SocketOption.set(socket, level, IP_RECVTOS, 1, "IP_RECVTOS")
            // The outer header's DF stays clear: what is too long for a link on the way is fragmented, not lost
            // (P-4.21).
            try SocketOption.set(socket, level, IP_MTU_DISCOVER, CInt(IP_PMTUDISC_DONT), "IP_MTU_DISCOVER")
        case .v6:
            let level = CInt(IPPROTO_IPV6)
            try SocketOption.set(socket, level, IPV6_V6ONLY, 1, "IPV6_V6ONLY")
            try SocketOption.set(socket, level, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO")
            try SocketOption.set(socket, level, IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS")
            try SocketOption.set(socket, level, IPV6_MTU_DISCOVER, CInt(IPV6_PMTUDISC_DONT), "IPV6_MTU_DISCOVER")
        }
        try SocketOption.set(socket, SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL")
        if options.mark != 0 {
            try SocketOption.set(socket, SOL_SOCKET, SO_MARK, CInt(bitPattern: options.mark), "SO_MARK")
        }
        enlarge(socket, force: SO_RCVBUFFORCE, plain: SO_RCVBUF)
        enlarge(socket, force: SO_SNDBUFFORCE, plain: SO_SNDBUF)
    }

    /// Past the host's limit with CAP_NET_ADMIN, up to it without. Smaller buffers lose packets earlier, no more.
    private static func enlarge(_ socket: CInt, force: CInt, plain: CInt) {
        do {
            try SocketOption.set(socket, SOL_SOCKET, force, bufferSize, "SO_BUFFORCE")
        } catch {
            try? SocketOption.set(socket, SOL_SOCKET, plain, bufferSize, "SO_BUF")
        }
    }

    /// Tries what was asked for; a kernel without it refuses the option (UDP_SEGMENT: 4.18, UDP_GRO: 5.0). Not asked
    /// back with getsockopt, which knows UDP_GRO only from 5.12 on (X-7).
    private static func probe(_ socket: CInt, _ options: UDPOptions) -> UDPOffloads {
        func accepts(_ option: clinux_udp_option, _ value: CInt) -> Bool {
            do {
                try SocketOption.set(socket, CInt(IPPROTO_UDP), CInt(option.rawValue), value, "")
                return true
            } catch {
                return false
            }
        }
        return UDPOffloads(
            segmentation: options.segmentation && accepts(CLINUX_UDP_SEGMENT, 0),
            coalescing: options.coalescing && accepts(CLINUX_UDP_GRO, 1))
    }

    private static func bind(_ socket: CInt, _ family: IPAddress.Family, _ port: UInt16) throws(Errno) {
        let any = family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0)
        var memory = sockaddr_storage()
        let result = unsafe withUnsafeMutableBytes(of: &memory) { memory -> CInt in
            guard let start = memory.baseAddress else { return -1 }
            let size = unsafe SocketAddress.store(Endpoint(address: any, port: port), to: start)
            return unsafe Glibc.bind(socket, start.assumingMemoryBound(to: sockaddr.self), size)
        }
        try Errno.check(result, "bind UDP port \(port) (\(family == .v4 ? "IPv4" : "IPv6"))")
    }
}
