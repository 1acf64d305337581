import Glibc
import Linux
import Support
import Testing
import Wire

@testable import UDP

/// Two hosts on one link, each a network namespace, for the length of a test.
///
///     A  link 10.0.0.1, fd00:aa::1  ----------  B  link 10.0.0.2, fd00:aa::2
///
/// The test's thread is in one of them at a time; a socket stays in the one that it was made in.
struct TwoHosts: ~Copyable {
    let a: NetworkNamespace
    let b: NetworkNamespace
    /// A's and B's index of `link`.
    let linkA: UInt32
    let linkB: UInt32

    static let v4 = (a: "10.0.0.1", b: "10.0.0.2")
    static let v6 = (a: "fd00:aa::1", b: "fd00:aa::2")

    /// Runs `body` in A.
    static func run(mtu: Int = 1500, _ body: @escaping (borrowing TwoHosts) throws -> Void) throws {
        try PrivateNetwork.run {
            let b = try NetworkNamespace()
            try NetworkNamespace.unshare()
            let a = try NetworkNamespace()
            var netlink = try RouteNetlink()
            try netlink.setUp(true, link: netlink.index(of: "lo"))
            try netlink.addVeth("link", peer: "link", in: b)
            let linkA = try configure(mtu, v4.a, v6.a)
            try b.enter()
            let linkB = try configure(mtu, v4.b, v6.b)
            try a.enter()
            try body(TwoHosts(a: a, b: b, linkA: linkA, linkB: linkB))
        }
    }

    private static func configure(_ mtu: Int, _ addresses: String...) throws -> UInt32 {
        var netlink = try RouteNetlink()
        let link = try netlink.index(of: "link")
        try netlink.setMTU(mtu, link: link)
        try netlink.setUp(true, link: link)
        for address in addresses {
            try netlink.add(try #require(InterfaceAddress("\(address)/\(address.contains(":") ? 64 : 24)")), link: link)
        }
        return link
    }

    /// Does something in B and comes back to A.
    func inB<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        try b.enter()
        defer { try? a.enter() }
        return try body()
    }

    /// A port of one worker in A and one in B.
    func ports() throws -> (a: UDPSockets, b: UDPSockets) {
        (try UDPSockets.open(UDPOptions(), workers: 1), try inB { try UDPSockets.open(UDPOptions(), workers: 1) })
    }
}
