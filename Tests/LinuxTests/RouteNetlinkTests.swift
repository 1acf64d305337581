import Glibc
import Linux
import Support
import Testing
import Wire

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct RouteNetlinkTests {
    @Test func aLinkIsFoundByNameWithItsStateAndMTU() throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            try netlink.addVeth("d0", peer: "far")
            let before = try netlink.link("d0")
            #expect(before.name == "d0" && before.index > 1 && before.mtu == 1500 && !before.isUp)
            try netlink.setMTU(1420, link: before.index)
            try netlink.setUp(true, link: before.index)
            let after = try netlink.link("d0")
            #expect(after.mtu == 1420 && after.isUp)
            try netlink.setUp(false, link: before.index)
            #expect(try netlink.link("d0").isUp == false)
            try netlink.remove(link: before.index)
            #expect(Self.error { () throws(NetlinkError) in _ = try netlink.link("d0") } == ENODEV)
        }
    }

    @Test func aNameThatNoInterfaceCanHaveIsAnErrorAndNotACrash() throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            for name in ["", "sixteen-letters-", String(repeating: "x", count: 5000)] {
                #expect(Self.error { () throws(NetlinkError) in _ = try netlink.link(name) } != 0, "\(name.prefix(20))")
            }
        }
    }

    @Test(arguments: ["10.80.0.1/24", "10.80.0.7/32", "fd80::1/64", "fd80::9/128", "fe80::5/64"])
    func anAddressIsAddedOnceAndRemovedOnce(text: String) throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            try netlink.addVeth("d0", peer: "far")
            let link = try netlink.index(of: "d0")
            try netlink.setAddressGeneration(Link.noAddressGeneration, link: link)
            try netlink.setUp(true, link: link)
            #expect(try netlink.addresses(link: link) == [])

            let address = try #require(InterfaceAddress(text))
            try netlink.add(address, link: link)
            #expect(try netlink.addresses(link: link) == [address])
            #expect(Self.error { () throws(NetlinkError) in try netlink.add(address, link: link) } == EEXIST)
            try netlink.remove(address, link: link)
            #expect(try netlink.addresses(link: link) == [])
            #expect(Self.error { () throws(NetlinkError) in try netlink.remove(address, link: link) } == EADDRNOTAVAIL)
        }
    }

    @Test func withoutAddressGenerationAnInterfaceThatComesUpHasNoLinkLocalAddress() throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            // d1, which came up later, shows when the kernel has come round to it.
            for name in ["d0", "d1"] {
                try netlink.addVeth(name, peer: "far-\(name)")
                #expect(try netlink.link(name).addressGeneration == 0)
                if name == "d0" {
                    try netlink.setAddressGeneration(Link.noAddressGeneration, link: netlink.index(of: name))
                    #expect(try netlink.link(name).addressGeneration == Link.noAddressGeneration)
                }
                try netlink.setUp(true, link: netlink.index(of: "far-\(name)"))
                try netlink.setUp(true, link: netlink.index(of: name))
            }
            func hasLinkLocal(_ name: String) throws -> Bool {
                try netlink.addresses(link: netlink.index(of: name)).contains { $0.address.isLinkLocal }
            }
            let deadline = Clocks.now() + .seconds(5)
            while try !hasLinkLocal("d1"), Clocks.now() < deadline { usleep(1000) }
            #expect(try hasLinkLocal("d1"))
            #expect(try !hasLinkLocal("d0"))
        }
    }

    @Test(arguments: [
        Route.text("192.168.20.0/24"), Route.text("192.168.20.0/24", table: 51820),
        Route.text("10.0.0.0/8", metric: 77),
        Route.text("fd20::/48"), Route.text("fd20::/48", table: 51820), Route.text("fd20::1/128", metric: 5),
        Route.text("0.0.0.0/0"), Route.text("::/0"),
    ])
    func aRouteIsAddedOnceAndRemovedOnce(route: Route) throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            try netlink.addVeth("d0", peer: "far")
            let link = try netlink.index(of: "d0")
            try netlink.setAddressGeneration(Link.noAddressGeneration, link: link)
            try netlink.setUp(true, link: link)
            let before = try netlink.routes(link: link)

            try netlink.add(route, link: link)
            var listed = route
            if route.prefix.family == .v6, route.metric == nil { listed.metric = 1024 }
            #expect(try netlink.routes(link: link).contains(listed))
            #expect(Self.error { () throws(NetlinkError) in try netlink.add(route, link: link) } == EEXIST)
            try netlink.remove(route, link: link)
            #expect(try netlink.routes(link: link) == before)
            #expect(Self.error { () throws(NetlinkError) in try netlink.remove(route, link: link) } == ESRCH)
        }
    }

    @Test func theKernelsOwnWordsComeWithAnError() throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            try netlink.addVeth("d0", peer: "far")
            let link = try netlink.index(of: "d0")
            do {
                try netlink.setMTU(1_000_000_000, link: link)
                Issue.record("an MTU of a gigabyte was taken")
            } catch let error as NetlinkError {
                #expect(error.errno == Errno(EINVAL))
                #expect(error.description == "Invalid argument (mtu greater than device maximum)")
            }
        }
    }

    @Test func theWayToADestinationNamesInterfaceAndSource() throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            try netlink.addVeth("d0", peer: "far")
            let link = try netlink.index(of: "d0")
            try netlink.setUp(true, link: link)
            let own = try #require(InterfaceAddress("10.80.0.1/24"))
            try netlink.add(own, link: link)
            let there = try #require(IPAddress("10.80.0.9"))
            #expect(try netlink.way(to: there) == LocalAddress(address: own.address, interface: link))
            let nowhere = try #require(IPAddress("192.0.2.1"))
            #expect(Self.error { () throws(NetlinkError) in _ = try netlink.way(to: nowhere) } == ENETUNREACH)
        }
    }

    /// N-28, N-29, N-32: the ways in which what was learned of a peer ceases to hold.
    @Test(arguments: [
        ("10.0.0.1/24", "10.0.1.1/24", "10.0.0.2"), ("fd00::1/64", "fd01::1/64", "fd00::2"),
    ])
    func aPathHoldsUntilItsSourceOrItsRouteHasGone(own: String, other: String, peer: String) throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            var links: [UInt32] = []
            for (name, text) in [("d0", own), ("d1", other)] {
                try netlink.addVeth(name, peer: "far-\(name)")
                try netlink.setUp(true, link: netlink.index(of: "far-\(name)"))
                links.append(try netlink.index(of: name))
                try netlink.setUp(true, link: links[links.count - 1])
                try netlink.add(#require(InterfaceAddress(text)), link: links[links.count - 1])
            }
            let source = try #require(InterfaceAddress(own))
            let remote = Endpoint(address: try #require(IPAddress(peer)), port: 1)
            let path = Path(remote: remote, local: LocalAddress(address: source.address, interface: links[0]))
            #expect(netlink.holds(path) == true)
            #expect(netlink.holds(Path(remote: remote)) == true, "nothing was learned")

            let better = Route(Prefix(host: remote.address))
            try netlink.add(better, link: links[1])
            #expect(netlink.holds(path) == false)
            try netlink.remove(better, link: links[1])
            #expect(netlink.holds(path) == true)

            try netlink.remove(source, link: links[0])
            try netlink.add(Route(Prefix(host: remote.address)), link: links[0])
            if remote.address.family == .v4 { #expect(netlink.holds(path) == false) }
            try netlink.setUp(false, link: links[0])
            #expect(netlink.holds(path) == false)
        }
    }

    /// The number of the error that `body` throws; 0 when it throws none.
    private static func error(_ body: () throws(NetlinkError) -> Void) -> CInt {
        do {
            try body()
            return 0
        } catch {
            return error.errno.rawValue
        }
    }
}

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct RouteMonitorTests {
    @Test func everyKindOfChangeIsToldOnce() throws {
        try PrivateNetwork.run {
            var netlink = try RouteNetlink()
            // The loopback's carrier never changes, so that nothing follows later from its having come up.
            let link = try netlink.index(of: "lo")
            let monitor = try RouteMonitor()
            var epoll = try Epoll()
            try epoll.add(monitor.rawValue, token: 1)
            #expect(monitor.drain() == false)

            let address = try #require(InterfaceAddress("10.80.0.1/24"))
            let route = Route.text("fd20::/48")
            let rule = RoutingRule(.v6, unlessMarked: 7, table: 7)
            try netlink.add(address, link: link)
            try Self.expectChange(monitor, &epoll)
            try netlink.add(route, link: link)
            try Self.expectChange(monitor, &epoll)
            try netlink.add(rule)
            try Self.expectChange(monitor, &epoll)
            try netlink.setMTU(1300, link: link)
            try Self.expectChange(monitor, &epoll)
            try netlink.remove(address, link: link)
            try Self.expectChange(monitor, &epoll)
        }
    }

    private static func expectChange(_ monitor: borrowing RouteMonitor, _ epoll: inout Epoll) throws {
        let now = Clocks.now()
        #expect(try epoll.wait(until: now + .seconds(5), now: now) == 1)
        #expect(monitor.drain() == true)
    }
}

extension Route {
    fileprivate static func text(_ text: String, table: UInt32 = Route.mainTable, metric: UInt32? = nil) -> Route {
        guard let prefix = Prefix(text) else { preconditionFailure("not a prefix: \(text)") }
        return Route(prefix, table: table, metric: metric)
    }
}

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct SysctlTests {
    @Test func aSettingIsThatOfTheThreadsNamespace() throws {
        let outside = try Sysctl.forwardingV4.read()
        try PrivateNetwork.run {
            let before = try Sysctl.forwardingV4.read()
            let other = before == "0" ? "1" : "0"
            try Sysctl.forwardingV4.write(other)
            #expect(try Sysctl.forwardingV4.read() == other)
            var netlink = try RouteNetlink()
            try netlink.addVeth("a.b", peer: "far")
            try Sysctl.sendRedirects("a.b").write("0")
            #expect(try Sysctl.sendRedirects("a.b").read() == "0")
        }
        #expect(try Sysctl.forwardingV4.read() == outside)
    }

    @Test func anUnknownSettingIsNamedInItsError() {
        do {
            _ = try Sysctl("net/no/such").read()
            Issue.record("read a setting that is not there")
        } catch {
            #expect(error == Errno(ENOENT))
            #expect(error.description.contains("/proc/sys/net/no/such"))
        }
    }
}
