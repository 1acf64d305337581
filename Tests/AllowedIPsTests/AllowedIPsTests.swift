import Support
import Testing
import Wire

@testable import AllowedIPs

private let (a, b, c, d) = (PeerID(0), PeerID(1), PeerID(2), PeerID(3))
private let (e, f, g, h) = (PeerID(4), PeerID(5), PeerID(6), PeerID(7))

/// The rules of P-7, on tables written out by hand in the manner of the kernel's self-test.
@Suite struct AllowedIPsTests {
    private func prefix(_ text: String) throws -> Prefix { try #require(Prefix(text), "\(text)") }
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text), "\(text)") }

    /// Overlapping prefixes of both families, with host bits set here and there.
    private static let entries: [(String, PeerID)] = [
        ("192.168.4.0/24", a), ("192.168.4.4/32", b), ("192.168.0.0/16", c), ("192.95.5.64/27", d),
        ("192.95.5.65/27", c),  // the same prefix by another of its addresses: now c's
        ("0.0.0.0/0", e), ("64.15.112.0/20", g), ("64.15.123.211/25", h),
        ("10.0.0.0/25", a), ("10.0.0.128/25", b), ("10.1.0.0/30", a), ("10.1.0.4/30", b), ("10.1.0.8/29", c),
        ("10.1.0.16/29", d),
        ("2607:5300:6006:6b00::1/64", d), ("2607:5300:6006:6b00::c05f:543/128", c), ("::/0", e), ("::/0", f),
        ("2404:6800::/32", g), ("2404:6800:4004:800:dead:beef:dead:beef/64", h),
        ("2404:6800:4004:800:dead:beef:dead:beef/128", a), ("2444:6800:40e4:800:deae:beef:def:beef/128", c),
        ("2444:6800:f0e4:800:eeae:beef::/98", b),
    ]

    private func table() throws -> AllowedIPs {
        var table = AllowedIPs()
        for (text, peer) in AllowedIPsTests.entries { table.insert(try prefix(text), peer: peer) }
        return table
    }

    @Test(
        "P-7.1, P-7.2, P-7.3, P-7.6: the longest prefix that holds an address decides",
        arguments: [
            ("192.168.4.20", a), ("192.168.4.0", a), ("192.168.4.4", b), ("192.168.200.182", c), ("192.95.5.68", c),
            ("192.95.5.96", e), ("192.95.5.63", e), ("64.15.116.26", g), ("64.15.127.3", g), ("64.15.128.1", e),
            ("64.15.123.128", h), ("64.15.123.127", g),
            ("10.0.0.52", a), ("10.0.0.220", b), ("10.1.0.2", a), ("10.1.0.6", b), ("10.1.0.10", c),
            ("10.1.0.20", d), ("10.1.0.24", e), ("0.0.0.0", e), ("255.255.255.255", e),
            ("2607:5300:6006:6b00:1::c05f:543", d), ("2607:5300:6006:6b00::c05f:543", c),
            ("2607:5300:6006:6b01::c05f:543", f), ("2404:6800:4004:806::1006", g),
            ("2404:6800:4004:800::1234", h), ("2404:67ff:4004:800::1", f),
            ("2404:6800:4004:800:dead:beef:dead:beef", a), ("2404:6800:4004:800:dead:beef:dead:beee", h),
            ("2444:6800:40e4:800:deae:beef:def:beef", c), ("2444:6800:f0e4:800:eeae:beef::1", b),
            ("2444:6800:f0e4:800:eeae:beef:2000:0", b), ("2444:6800:f0e4:800:eeae:beef:4000:0", f),
            ("::", f), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", f),
        ])
    func longestPrefix(text: String, peer: PeerID) throws {
        let table = try table()
        let address = try address(text)
        #expect((table.lookup(address)) == peer)
        switch address.family {
        case .v4: #expect((table.lookup(v4: address.v4Bits)) == peer)
        case .v6: #expect((table.lookup(v6High: address.high, low: address.low)) == peer)
        }
    }

    @Test("Without a /0, an address outside of every prefix is nobody's; families don't mix")
    func nobody() throws {
        var table = AllowedIPs()
        #expect((table.lookup(IPAddress(v4: 0))) == .none)
        table.insert(try prefix("10.0.0.0/8"), peer: a)
        #expect((table.lookup(try address("11.0.0.0"))) == .none)
        #expect((table.lookup(try address("9.255.255.255"))) == .none)
        #expect((table.lookup(try address("a00::"))) == .none)
        table.insert(try prefix("::/0"), peer: b)
        #expect((table.lookup(try address("11.0.0.0"))) == .none)
        #expect((table.lookup(try address("a00::"))) == b)
    }

    @Test("P-7.8, P-7.2: a peer's prefixes are listed without host bits, in the order they came")
    func listing() throws {
        let table = try table()
        #expect(
            (table.prefixes(of: c).map(\.description)) == [
                "192.168.0.0/16", "192.95.5.64/27", "10.1.0.8/29", "2607:5300:6006:6b00::c05f:543/128",
                "2444:6800:40e4:800:deae:beef:def:beef/128",
            ])
        #expect(
            (table.prefixes(of: h).map(\.description)) == [
                "64.15.123.128/25", "2404:6800:4004:800::/64",
            ])
        #expect((table.prefixes(of: e).map(\.description)) == ["0.0.0.0/0"])
        #expect((table.prefixes(of: PeerID(99))) == [])
        #expect((table.prefixes(of: .none)) == [])
        // Two of the entries took the place of another.
        #expect((table.count) == AllowedIPsTests.entries.count - 2)
    }

    @Test("P-7.3: a prefix inserted again moves to the new peer, and to the end of its list")
    func moving() throws {
        var table = AllowedIPs()
        let (first, second, third) = (try prefix("10.0.0.0/8"), try prefix("10.1.0.0/16"), try prefix("fd00::/8"))
        for prefix in [first, second, third] { table.insert(prefix, peer: a) }
        table.insert(second, peer: b)
        #expect((table.prefixes(of: a)) == [first, third])
        #expect((table.prefixes(of: b)) == [second])
        #expect((table.owner(of: second)) == b)
        table.insert(first, peer: a)
        #expect((table.prefixes(of: a)) == [third, first])
        #expect((table.count) == 3)
    }

    @Test("P-7.5: removing what another peer has, or nobody, changes nothing")
    func removingForeign() throws {
        var table = try table()
        let count = table.count
        for (text, peer) in [
            ("192.168.4.0/24", b), ("192.168.4.0/25", a),
            ("192.168.4.0/23", a), ("192.168.5.0/24", a), ("0.0.0.0/0", f),
            ("192.95.5.64/27", d), ("::/0", e), ("2404:6800::/31", g),
            ("192.0.0.0/8", PeerID.none), ("192.168.4.0/24", PeerID(1000)),
        ] {
            let removed = table.remove(try prefix(text), peer: peer)
            #expect(!removed, "\(text)")
        }
        table.removeAll(of: PeerID(1000))
        table.removeAll(of: .none)
        #expect((table.count) == count)
        #expect((table.lookup(try address("192.168.4.20"))) == a)
    }

    @Test("P-7.4: what a removed prefix held falls to the next longer one, and the table ends empty")
    func removing() throws {
        var table = try table()
        let narrow = try address("192.168.4.4")
        let steps: [(String, PeerID, PeerID)] = [
            ("192.168.4.4/32", b, a),
            ("192.168.4.0/24", a, c),
            ("192.168.0.0/16", c, e), ("0.0.0.0/0", e, .none),
        ]
        for (text, owner, next) in steps {
            let removed = table.remove(try prefix(text), peer: owner)
            #expect(removed)
            #expect((table.lookup(narrow)) == next, "\(text)")
        }
        for peer in 0..<8 {
            table.removeAll(of: PeerID(peer))
            #expect((table.prefixes(of: PeerID(peer))) == [])
        }
        #expect((table.count) == 0)
        #expect((table.nodeCount) == 0)
        // And it can be used again.
        table.insert(try prefix("::/0"), peer: a)
        #expect((table.lookup(try address("::1"))) == a)
        #expect((table.nodeCount) == 1)
    }

    @Test("P-7.4: removing one peer leaves the others' prefixes")
    func removingOnePeer() throws {
        var table = AllowedIPs()
        for (text, peer) in [
            ("1.0.0.0/32", a), ("64.0.0.0/32", a), ("128.0.0.0/32", a), ("192.0.0.0/32", a), ("255.0.0.0/32", a),
            ("192.168.0.0/16", b), ("192.168.0.0/24", a),
        ] as [(String, PeerID)] {
            table.insert(try prefix(text), peer: peer)
        }
        table.removeAll(of: a)
        for text in ["1.0.0.0", "64.0.0.0", "128.0.0.0", "192.0.0.0", "255.0.0.0"] {
            #expect((table.lookup(try address(text))) == .none, "\(text)")
        }
        #expect((table.lookup(try address("192.168.0.1"))) == b)
        #expect((table.nodeCount) == 1)
    }

    @Test("P-7.6: 129 and 33 nested prefixes, each with a peer of its own, in either order", arguments: [false, true])
    func nesting(shortestFirst: Bool) throws {
        var table = AllowedIPs()
        let six = try address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
        let four = try address("255.255.255.255")
        for step in 0...128 {
            let length = shortestFirst ? step : 128 - step
            table.insert(try #require(Prefix(six, length: length)), peer: PeerID(length))
            if length <= 32 { table.insert(try #require(Prefix(four, length: length)), peer: PeerID(1000 + length)) }
        }
        #expect((table.count) == 129 + 33)
        for length in 0...128 {
            // An address that leaves the nest after `length` bits.
            let high: UInt64 = length < 64 ? 1 << UInt64(63 - length) : 0
            let low: UInt64 = (64..<128).contains(length) ? 1 << UInt64(127 - length) : 0
            #expect((table.lookup(v6High: six.high ^ high, low: six.low ^ low)) == PeerID(length), "\(length)")
            if length < 32 {
                #expect((table.lookup(v4: four.v4Bits ^ 1 << UInt32(31 - length))) == PeerID(1000 + length))
            }
        }
        #expect((table.lookup(four)) == PeerID(1032))
        // Taking them away from the inside out hands the innermost address to each in turn.
        for length in stride(from: 128, through: 0, by: -1) {
            #expect((table.lookup(six)) == PeerID(length))
            table.removeAll(of: PeerID(length))
            if length <= 32 { table.removeAll(of: PeerID(1000 + length)) }
        }
        #expect((table.lookup(six)) == .none)
        #expect((table.nodeCount) == 0)
    }

    @Test("A prefix costs at most 64 bytes, the room for those that may come included")
    func memory() {
        var random = SeededGenerator(seed: 6)
        var table = AllowedIPs()
        for index in 0..<100_000 {
            table.insert(
                Prefix(host: IPAddress(v6High: random.next(), low: random.next())), peer: PeerID(index % 1000))
        }
        #expect((table.count) == 100_000)
        #expect((table.byteCount) <= 64 * 100_000)
    }
}
