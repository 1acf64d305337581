import Testing
import WireGuard

/// A caller's mistakes are typed errors, and change nothing.
@Suite struct TunnelMisuseTests {
    @Test func `a packet that is none is refused before it is sent`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        let whole = TunnelPair.packet(1)
        let lyingShort = whole.prefix(2) + [0, 19] + whole.dropFirst(4)
        let lyingLong = whole.prefix(2) + [0, 61] + whole.dropFirst(4)
        let shortIPv6 = [0x60] + [UInt8](repeating: 0, count: 38)
        let table: [[UInt8]] = [
            [], [0x45], Array(whole.prefix(19)), Array(whole.dropLast()), Array(lyingShort), Array(lyingLong),
            shortIPv6, [UInt8](repeating: 0, count: 60), [UInt8](repeating: 0xff, count: 60),
        ]
        for packet in table {
            #expect(throws: TunnelError.malformedPacket) {
                try pair.alice.send(packet, to: pair.toBob, at: pair.now)
            }
        }
        #expect(pair.alice.nextOutput() == nil)
    }

    @Test func `the largest packet is sent, one byte more is refused`() throws {
        let pair = try TunnelPair(mtu: 0)
        try pair.connect()
        let largest = TunnelPair.packet(1, count: Tunnel.largestPacket)
        #expect(try pair.alice.send(largest, to: pair.toBob, at: pair.now) == .sealed)
        #expect(throws: TunnelError.packetTooLarge) {
            try pair.alice.send(
                TunnelPair.packet(1, count: Tunnel.largestPacket + 1), to: pair.toBob, at: pair.now)
        }
    }

    /// The deadline when there is none, for those who do without optionals.
    @Test func `the last moment that there is ends nothing, and the tunnel goes on`() throws {
        let pair = try TunnelPair(keepalive: .seconds(10))
        try pair.connect()
        let last = Tunnel.Instant(nanoseconds: .max)
        pair.alice.advance(to: last)
        var outputs = 0
        while pair.alice.nextOutput() != nil { outputs += 1 }
        #expect(outputs < 10)
        #expect(try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: last) == .staged)
    }

    @Test func `a handle is good for its own tunnel, while its peer is there`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        let packet = TunnelPair.packet(1)
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.send(packet, to: pair.toAlice, at: pair.now) }
        try pair.alice.removePeer(pair.toBob)
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.send(packet, to: pair.toBob, at: pair.now) }
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.sendKeepalive(to: pair.toBob, at: pair.now) }
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.removePeer(pair.toBob) }
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.status(of: pair.toBob) }
        #expect(throws: TunnelError.unknownPeer) {
            try pair.alice.setEndpoint(of: pair.toBob, to: pair.bobAddress, at: pair.now)
        }
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.setPresharedKey(of: pair.toBob, to: .generate()) }
        #expect(throws: TunnelError.unknownPeer) {
            try pair.alice.setPersistentKeepalive(of: pair.toBob, to: .seconds(25), at: pair.now)
        }
        #expect(pair.alice.peers.isEmpty)

        // The same key again is another peer.
        let again = try pair.alice.addPeer(publicKey: pair.bob.publicKey, endpoint: pair.bobAddress, at: pair.now)
        #expect(again != pair.toBob)
        #expect(throws: TunnelError.unknownPeer) { try pair.alice.send(packet, to: pair.toBob, at: pair.now) }
        #expect(try pair.alice.send(packet, to: again, at: pair.now) == .staged)
    }

    @Test func `peers that come and go keep their own names, and leave the others alone`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        var gone: Set<Tunnel.PeerHandle> = []
        for _ in 0..<50 {
            let key = Tunnel.PrivateKey.generate().publicKey
            let handle = try pair.alice.addPeer(publicKey: key, endpoint: TunnelPair.endpoint(7), at: pair.now)
            #expect(pair.alice.peer(key) == handle && Set(pair.alice.peers) == [pair.toBob, handle])
            #expect(try pair.alice.status(of: handle).publicKey == key)
            try pair.alice.removePeer(handle)
            #expect(gone.insert(handle).inserted)
        }
        for handle in gone {
            #expect(throws: TunnelError.unknownPeer) { try pair.alice.status(of: handle) }
        }
        #expect(try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now) == .sealed)
    }

    @Test func `what waited for a removed peer is dropped and counted`() throws {
        let pair = try TunnelPair()
        for number in 0..<3 { try pair.alice.send(TunnelPair.packet(number), to: pair.toBob, at: pair.now) }
        try pair.alice.removePeer(pair.toBob)
        #expect(pair.alice.statistics.drops == [.peerRemoved: 3])
        #expect(pair.alice.nextDeadline == nil)
    }

    @Test func `peers that cannot be are refused`() throws {
        let pair = try TunnelPair()
        func add(_ key: Tunnel.PublicKey, keepalive: Duration = .zero) throws(TunnelError) {
            _ = try pair.alice.addPeer(publicKey: key, persistentKeepalive: keepalive, at: pair.now)
        }
        #expect(throws: TunnelError.ownPublicKey) { try add(pair.alice.publicKey) }
        #expect(throws: TunnelError.duplicatePeer(pair.toBob)) { try add(pair.bob.publicKey) }
        let fresh = Tunnel.PrivateKey.generate().publicKey
        for keepalive in [Duration.seconds(-1), .milliseconds(999), .seconds(65_536)] {
            #expect(throws: TunnelError.keepaliveOutOfRange) { try add(fresh, keepalive: keepalive) }
            #expect(throws: TunnelError.keepaliveOutOfRange) {
                try pair.alice.setPersistentKeepalive(of: pair.toBob, to: keepalive, at: pair.now)
            }
        }
        #expect(pair.alice.peers == [pair.toBob])
        try add(fresh, keepalive: .seconds(65_535))
    }

    @Test func `a peer without an endpoint cannot be sent to before it has been heard of`() throws {
        let pair = try TunnelPair()
        #expect(throws: TunnelError.noEndpoint) {
            try pair.bob.send(TunnelPair.packet(1), to: pair.toAlice, at: pair.now)
        }
        #expect(throws: TunnelError.noEndpoint) { try pair.bob.sendKeepalive(to: pair.toAlice, at: pair.now) }
        try pair.bob.setEndpoint(of: pair.toAlice, to: pair.aliceAddress, at: pair.now)
        #expect(try pair.bob.send(TunnelPair.packet(1), to: pair.toAlice, at: pair.now) == .staged)
        pair.settle()
        #expect(pair.delivered == [.alice: [TunnelPair.packet(1)]])
    }

    @Test func `P-5.12 keepalives begin when it is known where the peer is`() throws {
        let pair = try TunnelPair()
        try pair.bob.setPersistentKeepalive(of: pair.toAlice, to: .seconds(25), at: pair.now)
        try pair.run(for: .seconds(60))
        #expect(pair.log.isEmpty)
        try pair.bob.setEndpoint(of: pair.toAlice, to: pair.aliceAddress, at: pair.now)
        try pair.run(for: .seconds(26))
        #expect(pair.log.map(\.bytes.count) == [148, 92, 32, 32])
        #expect(pair.log.map(\.from) == [.bob, .alice, .bob, .bob])
    }

    @Test func `outputs that nobody takes stop data in both directions, and nothing else`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        for number in 0..<Tunnel.outputBound {
            try pair.alice.send(TunnelPair.packet(number), to: pair.toBob, at: pair.now)
        }
        #expect(throws: TunnelError.outputsNotTaken) {
            try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        }
        try pair.bob.send(TunnelPair.packet(1), to: pair.toAlice, at: pair.now)
        guard case .send(let datagram, to: _)? = pair.bob.nextOutput() else {
            Issue.record("Bob has a session")
            return
        }
        #expect(pair.alice.receive(datagram, from: pair.bobAddress, at: pair.now) == .outputsNotTaken)
        pair.settle()
        #expect(pair.delivered[.bob]?.count == Tunnel.outputBound)
        // It was not opened, so that it may come again.
        #expect(pair.alice.receive(datagram, from: pair.bobAddress, at: pair.now) == nil)
    }

    @Test func `outputs that nobody takes are bounded, whatever the tunnel does of its own accord`() throws {
        let pair = try TunnelPair()
        try pair.alice.setPersistentKeepalive(of: pair.toBob, to: .seconds(1), at: pair.now)
        // Nobody answers: initiations, and events that tell of it, for a day or two.
        var steps = 0
        while pair.alice.statistics.drops[.outputsNotTaken, default: 0] < 10, steps < 100_000 {
            steps += 1
            pair.alice.advance(to: pair.now.advanced(by: .seconds(UInt64(5 * steps))))
        }
        #expect(pair.alice.statistics.drops == [.outputsNotTaken: 10])
        var count = 0
        while pair.alice.nextOutput() != nil { count += 1 }
        #expect(count == Tunnel.outputLimit)
    }

    @Test func `time that goes back stands still`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        try pair.run(for: .seconds(100))
        pair.now = TunnelPair.start
        try pair.alice.send(TunnelPair.packet(7), to: pair.toBob, at: pair.now)
        pair.settle()
        #expect(pair.delivered[.bob]?.last == TunnelPair.packet(7))
        let deadline = try #require(pair.alice.nextDeadline)
        #expect(deadline >= TunnelPair.start.advanced(by: .seconds(100)))
    }

    @Test func `a date that was set back by a year stops no handshake`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        pair.alice.setWallTime(Tunnel.WallTime(seconds: 1_668_000_000), at: pair.now)
        try pair.run(for: .seconds(130)) { second in
            try pair.alice.send(TunnelPair.packet(second), to: pair.toBob, at: pair.now)
        }
        #expect(pair.events[.alice]?.count == 2)
        #expect(pair.bob.statistics.drops.isEmpty)
        #expect(try pair.alice.status(of: pair.toBob).lastHandshake.map { $0.seconds < 1_668_000_200 } == true)
    }
}
