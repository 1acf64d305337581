import CMNL
import Glibc
import Linux
import Router
import Support
import Testing
import Wire

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct HostSideTests {
    /// Everything of the host that a router may change, to be compared as a whole.
    private struct Snapshot: Equatable {
        var mtu: Int
        var isUp: Bool
        var addresses: Set<InterfaceAddress>
        var routes: Set<Route>
        var settings: [String: String]
        var addressGeneration: UInt8?

        init(_ interface: String) throws {
            var netlink = try RouteNetlink()
            let link = try netlink.link(interface)
            mtu = link.mtu
            isUp = link.isUp
            addresses = Set(try netlink.addresses(link: link.index))
            routes = Set(try netlink.routes(link: link.index))
            settings = [:]
            addressGeneration = link.addressGeneration
            let forwarding = Sysctl.forwardingOfInterfaces(.v4) + Sysctl.forwardingOfInterfaces(.v6)
            for setting in [
                .forwardingV4, .forwardingV6, .sendRedirects(interface),
            ] + forwarding {
                settings[setting.path] = try setting.read()
            }
        }
    }

    /// What differs, line by line.
    private static func expect(
        _ now: Snapshot, is before: Snapshot, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(now.mtu == before.mtu && now.isUp == before.isUp, sourceLocation: location)
        #expect(now.addressGeneration == before.addressGeneration, sourceLocation: location)
        #expect(now.addresses == before.addresses, sourceLocation: location)
        #expect(now.routes == before.routes, sourceLocation: location)
        for (name, value) in before.settings {
            #expect(now.settings[name] == value, "\(name)", sourceLocation: location)
        }
    }

    private static let interface = HostInterface(
        name: "wg0", mtu: 1420, addresses: [address("10.80.0.1/24"), address("fd80::1/64")],
        routes: [
            route("10.80.0.0/24"), route("192.168.20.0/24"), route("fd20::/48"), route("fd20::/48", table: 51820),
            route("172.16.0.0/12", metric: 20),
        ])

    @Test func whatIsAskedForIsThereAndIsTakenBackToTheLast() throws {
        try Self.withInterfaces { netlink in
            try Sysctl("net/ipv6/conf/wg1/forwarding").write("1")
            let before = try Snapshot("wg0")
            let side = try HostSide()
            try side.apply([Self.interface], forwarding: true)

            let during = try Snapshot("wg0")
            #expect(during.mtu == 1420 && during.isUp)
            #expect(during.addresses == Set(Self.interface.addresses), "and no link-local one")
            for text in ["192.168.20.0/24", "10.80.0.0/24"] { #expect(during.routes.contains(Self.route(text))) }
            #expect(during.routes.contains(Self.route("fd20::/48", metric: 1024)))
            #expect(during.routes.contains(Self.route("fd20::/48", table: 51820, metric: 1024)))
            #expect(during.routes.contains(Self.route("172.16.0.0/12", metric: 20)))
            #expect(during.settings["net/ipv4/ip_forward"] == "1")
            #expect(during.settings["net/ipv6/conf/all/forwarding"] == "1")
            #expect(during.settings["net/ipv4/conf/wg0/send_redirects"] == "0")

            #expect(side.takeBack() == [])
            Self.expect(try Snapshot("wg0"), is: before)
            #expect(side.takeBack() == [], "once")
        }
    }

    @Test func whatWasThereBeforeStays() throws {
        try Self.withInterfaces { netlink in
            let link = try netlink.index(of: "wg0")
            try Sysctl.forwardingV4.write("1")
            try netlink.setMTU(1420, link: link)
            try netlink.setUp(true, link: link)
            try netlink.add(Self.address("10.80.0.1/24"), link: link)
            try netlink.add(Self.route("192.168.20.0/24"), link: link)
            try netlink.add(Self.route("fd20::/48"), link: link)
            try netlink.setAddressGeneration(Link.noAddressGeneration, link: link)
            let before = try Snapshot("wg0")
            let side = try HostSide()
            try side.apply([Self.interface], forwarding: true)
            #expect(side.takeBack() == [])
            Self.expect(try Snapshot("wg0"), is: before)
        }
    }

    @Test(arguments: ["192.168.20.0/24", "fd20::/48"])
    func aRouteThatAnotherInterfaceHasIsAnErrorAndEverythingIsAsItWas(text: String) throws {
        try Self.withInterfaces { netlink in
            let other = try netlink.index(of: "wg1")
            try netlink.setUp(true, link: other)
            try netlink.add(Self.route(text), link: other)
            let before = try Snapshot("wg0")
            let side = try HostSide()
            do {
                try side.apply([Self.interface], forwarding: true)
                Issue.record("took a route that is another's")
            } catch {
                #expect("\(error)" == "wg0: cannot add route \(text): File exists")
            }
            Self.expect(try Snapshot("wg0"), is: before)
            #expect(try netlink.routes(link: other).contains { $0.prefix == Self.route(text).prefix })
            #expect(side.takeBack() == [])
            Self.expect(try Snapshot("wg0"), is: before)
        }
    }

    @Test func aMissingInterfaceAndAnImpossibleMTUAreNamed() throws {
        try Self.withInterfaces { _ in
            let side = try HostSide()
            for (interface, message) in [
                (HostInterface(name: "wg7", mtu: 1420), "wg7: cannot find the interface: No such device"),
                (
                    HostInterface(name: "wg0", mtu: 100_000),
                    "wg0: cannot set the MTU to 100000: Invalid argument (mtu greater than device maximum)"
                ),
            ] {
                do {
                    try side.apply([interface], forwarding: false)
                    Issue.record("applied \(interface)")
                } catch {
                    #expect("\(error)" == message)
                }
            }
        }
    }

    @Test func aChangeTouchesOnlyTheDifference() throws {
        try Self.withInterfaces { netlink in
            let before = try Snapshot("wg0")
            let side = try HostSide()
            try side.apply([Self.interface], forwarding: true)
            var next = Self.interface
            next.mtu = 1380
            next.addresses[0] = Self.address("10.80.0.9/24")
            next.routes = [Self.route("192.168.20.0/24"), Self.route("192.168.30.0/24")]
            try side.apply([next], forwarding: false)

            let during = try Snapshot("wg0")
            #expect(during.mtu == 1380 && during.isUp)
            #expect(during.addresses == Set(next.addresses))
            #expect(during.routes.contains(Self.route("192.168.30.0/24")))
            #expect(during.routes.contains(Self.route("192.168.20.0/24")))  // also where the only address has changed
            #expect(!during.routes.contains { $0.prefix.description == "fd20::/48" || $0.metric == 20 })
            #expect(during.settings["net/ipv4/ip_forward"] == before.settings["net/ipv4/ip_forward"])
            #expect(side.takeBack() == [])
            Self.expect(try Snapshot("wg0"), is: before)
        }
    }

    @Test func `a prefix that is cut in two has a route at every moment`() throws {
        try Self.withInterfaces { netlink in
            let side = try HostSide()
            let whole = HostInterface(
                name: "wg0", mtu: 1420, addresses: [Self.address("10.80.0.1/24")],
                routes: [Self.route("10.1.0.0/16"), Self.route("fd20::/48")])
            var halves = whole
            halves.addresses = [Self.address("10.90.0.1/24")]
            halves.routes = ["10.1.0.0/17", "10.1.128.0/17", "fd20::/49", "fd20:0:0:8000::/49"].map { Self.route($0) }
            let destinations = ["10.1.200.1", "fd20:0:0:9000::1"].compactMap { IPAddress($0) }
            try side.apply([whole], forwarding: false)
            for (before, after) in [(whole, halves), (halves, whole)] {
                let monitor = try RouteMonitor([RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE])
                try side.apply([after], forwarding: false)
                var routes = Set(before.routes.map(\.prefix))
                var changes = 0
                _ = monitor.drain { message in
                    guard let prefix = Self.destination(of: message) else { return false }
                    changes += 1
                    if message.type == CInt(RTM_NEWROUTE) { routes.insert(prefix) } else { routes.remove(prefix) }
                    for address in destinations {
                        #expect(routes.contains { $0.contains(Prefix(host: address)) }, "\(address), \(routes)")
                    }
                    return false
                }
                #expect(changes >= 6 && routes.isSuperset(of: after.routes.map(\.prefix)))
                #expect(routes.isDisjoint(with: before.routes.map(\.prefix)))
            }
            #expect(side.takeBack() == [])
        }
    }

    private static func destination(of message: NetlinkMessage) -> Prefix? {
        guard let head = message.payload(as: rtmsg.self) else { return nil }
        var prefix: Prefix?
        message.forEachAttribute(after: MemoryLayout<rtmsg>.size) {
            if $0.type == Int(RTA_DST.rawValue) {
                prefix = $0.address.flatMap { Prefix($0, length: Int(head.rtm_dst_len)) }
            }
        }
        return prefix
    }

    @Test func aChangeThatFailsLeavesTheEarlierOne() throws {
        try Self.withInterfaces { netlink in
            let side = try HostSide()
            let before = try Snapshot("wg0")
            try side.apply([Self.interface], forwarding: true)
            let during = try Snapshot("wg0")
            let other = try netlink.index(of: "wg1")
            try netlink.setUp(true, link: other)
            try netlink.add(Self.route("10.99.0.0/16"), link: other)
            var next = Self.interface
            next.mtu = 1300
            next.addresses = [Self.address("10.80.0.9/24")]
            next.routes = [Self.route("192.168.40.0/24"), Self.route("10.99.0.0/16")]
            do {
                try side.apply([next], forwarding: false)
                Issue.record("took a route that is another's")
            } catch {
                #expect("\(error)" == "wg0: cannot add route 10.99.0.0/16: File exists")
            }
            Self.expect(try Snapshot("wg0"), is: during)
            #expect(side.takeBack() == [])
            Self.expect(try Snapshot("wg0"), is: before)
        }
    }

    @Test func whatOthersHaveTakenAwayIsNoErrorAtTheEnd() throws {
        try Self.withInterfaces { netlink in
            let side = try HostSide()
            try side.apply([Self.interface], forwarding: true)
            let link = try netlink.index(of: "wg0")
            try netlink.remove(Self.route("192.168.20.0/24"), link: link)
            try netlink.remove(Self.address("fd80::1/64"), link: link)
            #expect(side.takeBack() == [])

            try side.apply([Self.interface], forwarding: true)
            try netlink.remove(link: link)
            #expect(side.takeBack() == [])
            #expect(try Sysctl.forwardingV4.read() == "0")
        }
    }

    @Test func theDefaultRouteGoesIntoTheTunnelButForItsOwnDatagrams() throws {
        try Self.withInterfaces { netlink in
            // wg1 is the way out, with the host's own default route and a network beside it.
            let out = try netlink.index(of: "wg1")
            try netlink.setUp(true, link: out)
            for text in ["192.0.2.5/24", "2001:db8::5/64"] { try netlink.add(Self.address(text), link: out) }
            for text in ["0.0.0.0/0", "::/0"] { try netlink.add(Self.route(text), link: out) }
            try Sysctl.reversePathFilter("wg1").write("1")
            let before = try Snapshot("wg0")
            let rules = [try netlink.ruleCount(.v4), try netlink.ruleCount(.v6)]
            var interface = Self.interface
            interface.routes += [Self.route("0.0.0.0/0"), Self.route("::/0")]
            interface.divertDefaultRoutes(mark: 0xca6c)
            let side = try HostSide()
            try side.apply([interface], forwarding: false)

            let tunnel = try netlink.index(of: "wg0")
            for text in ["198.51.100.1", "2001:db8:1::1"] {
                let far = try #require(IPAddress(text))
                #expect(try netlink.way(to: far).interface == tunnel)
                #expect(try netlink.way(to: far, mark: 0xca6c).interface == out)
            }
            for text in ["192.0.2.9", "2001:db8::9"] {
                #expect(
                    try netlink.way(to: #require(IPAddress(text))).interface == out, "a better route than the default")
            }
            #expect(try Sysctl.reversePathFilter("wg1").read() == "2")
            #expect(try netlink.rules(.v4).count == 2 && netlink.rules(.v6).count == 2)
            #expect(side.takeBack() == [])
            Self.expect(try Snapshot("wg0"), is: before)
            #expect([try netlink.ruleCount(.v4), try netlink.ruleCount(.v6)] == rules)
            #expect(try Sysctl.reversePathFilter("wg1").read() == "1")
        }
    }

    @Test func rulesOfARouterThatWasKilledGoWithTheNextStart() throws {
        try Self.withInterfaces { netlink in
            let rules = try netlink.ruleCount(.v4)
            var interface = Self.interface
            interface.routes = [Self.route("0.0.0.0/0")]
            interface.divertDefaultRoutes(mark: 0xca6c)
            let killed = try HostSide()
            try killed.apply([interface], forwarding: false)
            try netlink.remove(link: netlink.index(of: "wg0"))
            #expect(try netlink.ruleCount(.v4) == rules + 2)

            try netlink.addVeth("wg0", peer: "wg1")
            let next = try HostSide()
            try next.apply([interface], forwarding: false)
            #expect(try netlink.ruleCount(.v4) == rules + 2)
            // Those of a router that runs stay.
            try netlink.addVeth("wg2", peer: "wg3")
            var other = HostInterface(name: "wg2", mtu: 1420, routes: [Self.route("::/0")])
            other.divertDefaultRoutes(mark: 0xca6d)
            let third = try HostSide()
            try third.apply([other], forwarding: false)
            #expect(try netlink.ruleCount(.v4) == rules + 2)
            #expect(third.takeBack() == [] && next.takeBack() == [])
            #expect(try netlink.ruleCount(.v4) == rules)
        }
    }

    /// wg0 and wg1, down and without addresses, the two ends of one link.
    private static func withInterfaces(_ body: @escaping (inout RouteNetlink) throws -> Void) throws {
        try PrivateNetwork.run {
            // A new namespace may inherit these from the host.
            for setting in [Sysctl.forwardingV4, .forwardingV6] { try setting.write("0") }
            var netlink = try RouteNetlink()
            try netlink.addVeth("wg0", peer: "wg1")
            try body(&netlink)
        }
    }

    private static func address(_ text: String) -> InterfaceAddress {
        guard let address = InterfaceAddress(text) else { preconditionFailure("not an address: \(text)") }
        return address
    }

    private static func route(_ text: String, table: UInt32 = Route.mainTable, metric: UInt32? = nil) -> Route {
        guard let prefix = Prefix(text) else { preconditionFailure("not a prefix: \(text)") }
        return Route(prefix, table: table, metric: metric)
    }
}
