import Glibc
import Linux
import Support
import Testing
import Wire

/// A router between two hosts, each a network namespace.
///
///     A  link 10.0.1.2  ------  lan0 10.0.1.1  R  wan0 10.0.2.1  ------  B  link 10.0.2.2
///
/// The test's thread is in R; a socket stays in the namespace that it was made in.
struct ThreeHosts: ~Copyable {
    static let a = IPAddress.literal("10.0.1.2")
    static let lan = IPAddress.literal("10.0.1.1")
    static let wan = IPAddress.literal("10.0.2.1")
    static let b = IPAddress.literal("10.0.2.2")

    private let hostA: NetworkNamespace
    private let hostB: NetworkNamespace
    private let router: NetworkNamespace

    /// Runs `body` in R.
    static func run(_ body: @escaping (borrowing ThreeHosts) throws -> Void) throws {
        try PrivateNetwork.run {
            let hostA = try NetworkNamespace()
            try NetworkNamespace.unshare()
            let hostB = try NetworkNamespace()
            try NetworkNamespace.unshare()
            let router = try NetworkNamespace()
            var netlink = try RouteNetlink()
            try netlink.addVeth("lan0", peer: "link", in: hostA)
            try netlink.addVeth("wan0", peer: "link", in: hostB)
            try configure("lan0", lan)
            try configure("wan0", wan)
            try Sysctl.forwardingV4.write("1")
            for name in ["lan0", "wan0"] { try Sysctl("net/ipv4/conf/\(name)/proxy_arp").write("1") }
            try hostA.enter()
            try configure("link", a, gateway: lan)
            try hostB.enter()
            try configure("link", b, gateway: wan)
            try router.enter()
            try body(ThreeHosts(hostA: hostA, hostB: hostB, router: router))
        }
    }

    private static func configure(_ name: String, _ address: IPAddress, gateway: IPAddress? = nil) throws {
        var netlink = try RouteNetlink()
        let link = try netlink.index(of: name)
        try netlink.setUp(true, link: link)
        try netlink.add(#require(InterfaceAddress("\(address)/24")), link: link)
        guard gateway != nil else { return }
        // Everything is on the link: the router answers for what is behind it.
        try netlink.add(Route(.literal("0.0.0.0/0")), link: link)
    }

    func inA<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result { try within(hostA, body) }

    func inB<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result { try within(hostB, body) }

    private func within<Result: ~Copyable>(_ host: borrowing NetworkNamespace, _ body: () throws -> Result) throws
        -> Result
    {
        try host.enter()
        defer { try? router.enter() }
        return try body()
    }
}

/// A socket of IPv4 for tests, which waits for at most five seconds.
struct PlainSocket: ~Copyable {
    let descriptor: FileDescriptor

    private init(_ descriptor: consuming FileDescriptor) throws {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let size = socklen_t(MemoryLayout<timeval>.size)
            try Errno.check(unsafe setsockopt(self.descriptor.rawValue, SOL_SOCKET, option, &limit, size), "setsockopt")
        }
    }

    static func bound(_ kind: __socket_type = SOCK_DGRAM, to address: IPAddress, port: UInt16) throws -> PlainSocket {
        let socket = try PlainSocket(FileDescriptor(Glibc.socket(AF_INET, CInt(kind.rawValue), 0), "socket"))
        let number = socket.descriptor.rawValue
        try unsafe Errno.check(with(address, port) { unsafe bind(number, $0, $1) }, "bind")
        return socket
    }

    func send(_ count: Int = 1, to address: IPAddress, port: UInt16) throws {
        for _ in 0..<count {
            try unsafe Errno.check(
                Self.with(address, port) { unsafe sendto(descriptor.rawValue, "x", 1, 0, $0, $1) }, "sendto")
        }
    }

    func connect(to address: IPAddress, port: UInt16) throws {
        try unsafe Errno.check(
            Self.with(address, port) { unsafe Glibc.connect(descriptor.rawValue, $0, $1) }, "connect")
    }

    /// Takes one datagram and says who has sent it.
    func receive() throws -> (address: IPAddress, port: UInt16) {
        var (from, size) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
        var byte: UInt8 = 0
        let count = unsafe withUnsafeMutablePointer(to: &from) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe recvfrom(descriptor.rawValue, &byte, 1, 0, $0, &size)
            }
        }
        try Errno.check(count, "recvfrom")
        return (IPAddress(v4: UInt32(bigEndian: from.sin_addr.s_addr)), UInt16(bigEndian: from.sin_port))
    }

    func listen() throws { try Errno.check(Glibc.listen(descriptor.rawValue, 1), "listen") }

    func accept() throws -> PlainSocket {
        try PlainSocket(FileDescriptor(Glibc.accept(descriptor.rawValue, nil, nil), "accept"))
    }

    private static func with<Result>(
        _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.v4Bits.bigEndian
        return unsafe withUnsafePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
