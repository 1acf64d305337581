import CLinux
import Glibc
import Linux
import Pipeline
import Support
import Testing
import Wire

@testable import UDP

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct SourceAddressTests {
    /// N-28, N-29, P-6.3.
    @Test(arguments: ["v4", "v6"], [0, 700])
    func aSourceThatIsGoneIsLeftOutAndTold(family: String, size: Int) throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            let (own, other, peer) =
                family == "v4"
                ? ("10.0.0.5/24", TwoHosts.v4.a, TwoHosts.v4.b)
                : ("fd00:aa::5/64", TwoHosts.v6.a, TwoHosts.v6.b)
            let source = try #require(InterfaceAddress(own))
            var netlink = try RouteNetlink()
            try netlink.add(source, link: hosts.linkA)
            let message = Datagrams(bytes: Datagrams.pattern(2000), size: size)
            let path = Path.to(peer, ports.b.port, from: "\(source.address)", interface: hosts.linkA)

            #expect(ports.a.ports[0].send([(message, path)]).isEmpty)
            try netlink.remove(source, link: hosts.linkA)
            // Twice in one batch, for one peer each: each is told of.
            let notices = ports.a.ports[0].send([(message, path), (message, path)])
            #expect(Self.peers(notices) == [PeerID(0), PeerID(1)])
            // And without the source nothing is amiss.
            #expect(ports.a.ports[0].send([(message, .to(peer, ports.b.port))]).isEmpty)

            let arrivals = try ports.b.ports[0].receive(datagrams: 4 * message.each.count)
            #expect(arrivals.flatMap(\.datagrams.each) == Array(repeating: message.each, count: 4).flatMap { $0 })
            let sources = arrivals.filter { $0.datagrams.bytes.count > 0 }.map(\.path.remote.address)
            #expect(sources.first == source.address)
            #expect(sources.last == .literal(other))
            #expect(Set(sources) == [source.address, .literal(other)])
            #expect(ports.a.ports[0].counter("source-fallbacks") == 2)
            #expect(ports.a.ports[0].dropped.isEmpty)
        }
    }

    @Test(arguments: [TwoHosts.v4, TwoHosts.v6])
    func anInterfaceThatIsGoneIsTreatedAsASourceThatIsGone(addresses: (a: String, b: String)) throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            let path = Path.to(addresses.b, ports.b.port, from: addresses.a, interface: 4711)
            #expect(Self.peers(ports.a.ports[0].send([(Datagrams(bytes: [1]), path)])) == [PeerID(0)])
            #expect(try ports.b.ports[0].receive(datagrams: 1).count == 1)
        }
    }

    @Test(arguments: [TwoHosts.v4, TwoHosts.v6])
    func withNoWayToThePeerTheSourceIsKept(addresses: (a: String, b: String)) throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            let nowhere = addresses.a.contains(":") ? "2001:db8::1" : "192.0.2.1"
            let path = Path.to(nowhere, 9, from: addresses.a)
            #expect(ports.a.ports[0].send([(Datagrams(bytes: [1]), path)]).isEmpty)
            #expect(ports.a.ports[0].dropped == ["unreachable": 1])
        }
    }

    /// P-6.9: whatever a send or a receive gives, it is counted, and the next one is tried as if nothing had been.
    /// a card that cannot make checksums gives EIO for every run, which then goes datagram by datagram.
    @Test(arguments: [
        (EPERM, "not-permitted"), (EHOSTUNREACH, "unreachable"), (ENETUNREACH, "unreachable"), (ENOBUFS, "no-memory"),
        (EAGAIN, "send-buffer-full"), (EIO, "send-error"),
    ])
    func whatTheKernelRefusesIsCountedAndNothingStops(error: CInt, reason: String) throws {
        let ports = try PrivateNetwork.run {
            (try UDPSockets.open(UDPOptions(), workers: 1), try UDPSockets.open(UDPOptions(), workers: 1))
        }
        let (single, run) = (Datagrams(bytes: [1]), Datagrams(bytes: Datagrams.pattern(2500), size: 1000))
        let path = Path.to("127.0.0.1", ports.1.port)
        // On a thread of its own, which takes the filter with it.
        try PrivateNetwork.run {
            try SystemCallFilter.refuse(SYS_sendmmsg, with: error)
            ports.0.ports[0].send([(single, path), (run, path)])
            try SystemCallFilter.refuse(SYS_recvmmsg, with: error)
            _ = ports.1.ports[0].receiveNow()
        }
        #expect(ports.0.ports[0].dropped == [reason: 4])
        #expect(ports.0.ports[0].counter("segmentation-fallbacks") == (error == EIO ? 1 : 0))
        ports.0.ports[0].send([(single, path), (run, path)])
        #expect(try ports.1.ports[0].receive(datagrams: 4).flatMap(\.datagrams.each) == single.each + run.each)
    }

    /// N-30.
    @Test(arguments: [["10.0.0.1", "10.0.0.3", "10.0.0.4"], ["fd00:aa::1", "fd00:aa::3", "fd00:aa::4"]])
    func theAnswerComesFromTheAddressThatWasAsked(addresses: [String]) throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            var netlink = try RouteNetlink()
            for address in addresses.dropFirst() {
                let length = address.contains(":") ? 64 : 24
                try netlink.add(#require(InterfaceAddress("\(address)/\(length)")), link: hosts.linkA)
            }
            for address in addresses { try Self.expectAnswer(from: address, ports) }
        }
    }

    /// N-31: the address is on another interface than the one that the datagram came in by.
    @Test func theAnswerComesFromAnAddressOnAnotherInterface() throws {
        try TwoHosts.run { hosts in
            let address = "10.50.0.1"
            let ports = try hosts.ports()
            var netlink = try RouteNetlink()
            try netlink.add(#require(InterfaceAddress(address)), link: netlink.index(of: "lo"))
            try hosts.inB {
                var netlink = try RouteNetlink()
                try netlink.add(Route(#require(Prefix(address))), link: hosts.linkB)
            }
            try Self.expectAnswer(from: address, ports)
        }
    }

    /// P-6.7.
    @Test func aLinkLocalPeerIsReachedThroughItsScope() throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            var netlink = try RouteNetlink()
            try netlink.add(#require(InterfaceAddress("fe80::a/64")), link: hosts.linkA)
            try hosts.inB {
                var netlink = try RouteNetlink()
                try netlink.add(#require(InterfaceAddress("fe80::b/64")), link: hosts.linkB)
            }
            let remote = Endpoint(address: .literal("fe80::b"), port: ports.b.port, scope: hosts.linkA)
            ports.a.ports[0].send([(Datagrams(bytes: [1]), Path(remote: remote))])
            let arrival = try #require(try ports.b.ports[0].receive(datagrams: 1).first)
            #expect(arrival.path.remote.scope == hosts.linkB)
            #expect(arrival.path.local == LocalAddress(address: .literal("fe80::b"), interface: hosts.linkB))
            ports.b.ports[0].send([(Datagrams(bytes: [2]), arrival.path)])
            let answer = try ports.a.ports[0].receive(datagrams: 1).first
            #expect(answer?.path.remote == remote)
        }
    }

    private static func expectAnswer(from address: String, _ ports: (a: UDPSockets, b: UDPSockets)) throws {
        ports.b.ports[0].send([(Datagrams(bytes: [1]), .to(address, ports.a.port))])
        let question = try #require(try ports.a.ports[0].receive(datagrams: 1).first)
        #expect(question.path.local?.address == .literal(address))
        #expect(ports.a.ports[0].send([(Datagrams(bytes: [2]), question.path)]).isEmpty)
        let answer = try #require(try ports.b.ports[0].receive(datagrams: 1).first)
        #expect(answer.path.remote == Endpoint(address: .literal(address), port: ports.a.port))
    }

    private static func peers(_ notices: [Notice]) -> [PeerID] {
        notices.map { if case .sourceGone(let peer) = $0 { peer } else { .none } }
    }
}

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct SegmentationFallbackTests {
    /// the kernel refuses a run whose datagrams exceed the route's MTU, and fragments single ones.
    @Test(arguments: [TwoHosts.v4, TwoHosts.v6])
    func aRunThatTheRouteCannotTakeGoesAsSingleDatagrams(addresses: (a: String, b: String)) throws {
        try TwoHosts.run(mtu: 1280) { hosts in
            let ports = try hosts.ports()
            let big = Datagrams(bytes: Datagrams.pattern(1452 * 9 + 7), size: 1452)
            let fits = Datagrams(bytes: Datagrams.pattern(1000 * 9 + 7), size: 1000)
            let path = Path.to(addresses.b, ports.b.port, from: addresses.a, interface: hosts.linkA)
            let a = ports.a.ports[0]

            for turn in 1...3 {
                #expect(a.send([(big, path)]).isEmpty, "the source is not to blame")
                let arrivals = try ports.b.ports[0].receive(datagrams: big.each.count)
                #expect(arrivals.flatMap(\.datagrams.each) == big.each)
                #expect(a.counter("segmentation-fallbacks") == 1, "refused once, not at turn \(turn)")
            }
            // What fits still goes whole, to this destination and to others.
            a.send([(fits, path)])
            #expect(try ports.b.ports[0].receive(datagrams: fits.each.count).map(\.datagrams) == [fits])
            let own = try UDPSockets.open(UDPOptions(), workers: 1)
            a.send([(big, .to(addresses.a, own.port))])
            #expect(try own.ports[0].receive(datagrams: big.each.count).map(\.datagrams) == [big])
            #expect(a.counter("segmentation-fallbacks") == 1)
            #expect(a.dropped.isEmpty)
        }
    }

    @Test func aRefusalIsForgottenAfterAWhile() {
        var table = SegmentationFallback()
        let here = IPAddress.literal("192.0.2.1")
        let start = Instant(nanoseconds: 5)
        #expect(!table.refuses(here, size: 1452, now: start))
        table.remember(here, size: 1400, now: start)
        #expect(table.refuses(here, size: 1452, now: start) && table.refuses(here, size: 1400, now: start))
        #expect(!table.refuses(here, size: 1399, now: start))
        table.remember(here, size: 1420, now: start)
        #expect(table.refuses(here, size: 1400, now: start), "the smallest refused size counts")
        #expect(!table.refuses(.literal("192.0.2.2"), size: 1452, now: start))
        let end = start + SegmentationFallback.lifetime
        #expect(table.refuses(here, size: 1400, now: Instant(nanoseconds: end.nanoseconds - 1)))
        #expect(!table.refuses(here, size: 1452, now: end))
    }

    @Test func `P-4.21, P-4.22 the outer header of IPv4 lets routers fragment, and there is a checksum`() throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            let raw = try hosts.inB {
                try FileDescriptor(socket(AF_INET, CInt(SOCK_RAW.rawValue), CInt(IPPROTO_UDP)), "socket")
            }
            ports.a.ports[0].send([(Datagrams(bytes: Datagrams.pattern(148)), .to(TwoHosts.v4.b, ports.b.port))])
            #expect(try ports.b.ports[0].receive(datagrams: 1).count == 1)
            var packet = [UInt8](repeating: 0, count: 2048)
            let count = try unsafe packet.withUnsafeMutableBytes { try unsafe raw.read(into: $0) }
            #expect(count == 20 + 8 + 148)
            #expect(packet[6] & 0x40 == 0, "DF is clear")
            #expect(packet[26] != 0 || packet[27] != 0, "there is a checksum")
        }
    }

    /// Single datagrams, and a run that the kernel cuts up. What a raw socket of IPv6 gives begins with the UDP header.
    @Test(arguments: [[148], [1000, 1000, 500]])
    func `P-4.22 datagrams over IPv6 have a checksum`(sizes: [Int]) throws {
        try TwoHosts.run { hosts in
            let ports = try hosts.ports()
            let raw = try hosts.inB {
                try FileDescriptor(socket(AF_INET6, CInt(SOCK_RAW.rawValue), CInt(IPPROTO_UDP)), "socket")
            }
            let datagrams = Datagrams(bytes: Datagrams.pattern(sizes.reduce(0, +)), size: sizes[0])
            ports.a.ports[0].send([(datagrams, .to(TwoHosts.v6.b, ports.b.port))])
            _ = try ports.b.ports[0].receive(datagrams: sizes.count)
            // Both are delivered one after the other: the raw socket's are there when the other's are.
            var lengths: [Int] = []
            while lengths.reduce(0, +) < datagrams.bytes.count {
                var packet = [UInt8](repeating: 0, count: 4096)
                let count = try unsafe packet.withUnsafeMutableBytes { try unsafe raw.read(into: $0) }
                #expect(packet[6] != 0 || packet[7] != 0, "there is a checksum")
                lengths.append(count - 8)
            }
            #expect(lengths == sizes || lengths == [datagrams.bytes.count])
        }
    }
}

@Suite(.enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.need)"))
struct WithoutIPv6Tests {
    /// S-17.
    @Test func whereIPv6IsSwitchedOffItsPacketsAreCountedAndIPv4Works() throws {
        try TwoHosts.run { hosts in
            for scope in ["all", "default"] { try Sysctl("net/ipv6/conf/\(scope)/disable_ipv6").write("1") }
            let ports = try hosts.ports()
            for _ in 0..<10 { ports.a.ports[0].send([(Datagrams(bytes: [1]), .to(TwoHosts.v6.b, ports.b.port))]) }
            ports.a.ports[0].send([(Datagrams(bytes: [2]), .to(TwoHosts.v4.b, ports.b.port))])
            #expect(try ports.b.ports[0].receive(datagrams: 1).map(\.datagrams.bytes) == [[2]])
            #expect(ports.a.ports[0].dropped.values.reduce(0, +) == 10)
        }
    }

    /// P-6.4: a kernel without IPv6, as a system call filter on this thread alone makes one.
    @Test(arguments: [1, 2]) func whereTheKernelHasNoIPv6TheSocketsAreIPv4Alone(workers: Int) throws {
        try PrivateNetwork.run {
            try SystemCallFilter.refuseIPv6Sockets()
            let sockets = try UDPSockets.open(UDPOptions(), workers: workers)
            #expect(sockets.missingIPv6 == Errno(EAFNOSUPPORT))
            let port = sockets.ports[0]
            #expect(port.descriptors.count == 1)
            port.send([(Datagrams(bytes: [1]), .to("::1", 9)), (Datagrams(bytes: [0, 0, 0], size: 1), .to("::1", 9))])
            #expect(port.dropped == ["no-socket": 4])
            port.send([(Datagrams(bytes: [2]), .to("127.0.0.1", sockets.port))])
            var bytes: [[UInt8]] = []
            for port in sockets.ports { bytes += port.receiveNow().map(\.datagrams.bytes) }
            #expect(bytes == [[2]])
        }
    }

    /// P-6.4: what is free for IPv4 may be taken for IPv6; then the pair is tried again.
    @Test func aChosenPortIsFreeInBothFamilies() throws {
        try PrivateNetwork.run {
            try Sysctl("net/ipv4/ip_local_port_range").write("40000 40003")
            var offloads = UDPOffloads(segmentation: false, coalescing: false)
            var held: [CInt] = []
            defer { for socket in held { close(socket) } }
            func hold(_ port: UInt16) throws {
                let socket = try UDPSocket.open(
                    .v6, port: port, sharing: false, options: UDPOptions(), offloads: &offloads)
                held.append(socket.release())
            }
            for port in [40000, 40001, 40003] as [UInt16] { try hold(port) }
            #expect(try UDPSockets.open(UDPOptions(), workers: 2).port == 40002)
            try hold(40002)
            let error = #expect(throws: Errno.self) { try UDPSockets.open(UDPOptions(), workers: 1) }
            #expect(error == Errno(EADDRINUSE))
        }
    }

    @Test func theMarkIsOnBothSocketsAndCanBeCleared() throws {
        try PrivateNetwork.run {
            let port = try UDPSockets.open(UDPOptions(mark: 0xca6c), workers: 1).ports[0]
            func marks() throws -> [CInt] {
                try port.descriptors.map { try SocketOption.get($0, SOL_SOCKET, SO_MARK, "SO_MARK") }
            }
            #expect(try marks() == [0xca6c, 0xca6c])
            try port.setMark(0)
            #expect(try marks() == [0, 0])
        }
    }
}
