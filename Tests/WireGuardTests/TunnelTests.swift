import Testing
import WireGuard

/// Two public tunnels talk, with everything that happens on the way.
@Suite struct TunnelTests {
    @Test func `a packet waits for the handshake and arrives; the answer needs none`() throws {
        let pair = try TunnelPair()
        #expect(try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now) == .staged)
        #expect(try pair.alice.status(of: pair.toBob).packetsStaged == 1)
        pair.settle()
        #expect(pair.delivered == [.bob: [TunnelPair.packet(1)]])
        #expect(try pair.bob.send(TunnelPair.packet(2), to: pair.toAlice, at: pair.now) == .sealed)
        pair.settle()
        #expect(pair.delivered[.alice] == [TunnelPair.packet(2)])
        #expect(pair.log.map(\.bytes.count) == [148, 92, 32 + 64, 32 + 64])
        // Bob had no endpoint of Alice's: he learnt it.
        #expect(pair.events[.alice] == [.handshakeCompleted(initiator: true)])
        #expect(
            pair.events[.bob]
                == [.endpointChanged(pair.aliceAddress), .handshakeCompleted(initiator: false)])
        #expect(pair.alice.statistics.drops.isEmpty && pair.bob.statistics.drops.isEmpty)
    }

    @Test func `the status tells how a peer stands`() throws {
        let pair = try TunnelPair(alicePresharedKey: .generate(), keepalive: .seconds(25))
        var status = try pair.alice.status(of: pair.toBob)
        #expect(status.publicKey == pair.bob.publicKey)
        #expect(status.hasPresharedKey && !status.hasSession && status.lastHandshake == nil)
        #expect(status.persistentKeepalive == .seconds(25))
        #expect(status.endpoint == pair.bobAddress)
        #expect(status.bytesSent == 148)
        try pair.alice.setPresharedKey(of: pair.toBob, to: .absent)
        try pair.run(for: .seconds(6))
        status = try pair.alice.status(of: pair.toBob)
        #expect(!status.hasPresharedKey && status.hasSession)
        #expect(status.bytesReceived == 92)
        let handshake = try #require(status.lastHandshake)
        #expect((5...6).contains(handshake.seconds - TunnelPair.date.seconds))
        #expect(pair.alice.peers == [pair.toBob])
        #expect(pair.alice.peer(pair.bob.publicKey) == pair.toBob)
        #expect(pair.alice.peer(pair.alice.publicKey) == nil)
    }

    @Test func `preshared keys have to be the same`() throws {
        let key = Tunnel.PresharedKey.generate()
        let same = try TunnelPair(alicePresharedKey: key, bobPresharedKey: key)
        try same.connect()
        #expect(same.events[.alice] == [.handshakeCompleted(initiator: true)])

        let different = try TunnelPair(alicePresharedKey: key, bobPresharedKey: .generate())
        try different.connect()
        #expect(different.events[.alice] == nil)
        #expect(different.alice.statistics.drops == [.invalidResponse: 1])
    }

    @Test func `a key that Bob does not know gets no answer, and is given up after 90 s`() throws {
        let stranger = Tunnel.PrivateKey.generate().publicKey
        let pair = try TunnelPair(bobKnows: stranger)
        for number in 0..<200 { try pair.alice.send(TunnelPair.packet(number), to: pair.toBob, at: pair.now) }
        try pair.run(for: .seconds(89))
        #expect(try pair.alice.status(of: pair.toBob).packetsStaged == Tunnel.stagedPacketBound)
        try pair.run(for: .seconds(20))
        #expect(pair.events == [.alice: [.handshakeGivenUp]])
        #expect(pair.alice.statistics.drops == [.stagedTooMany: 72, .handshakeUnanswered: 128])
        let initiations = pair.log.filter(\.isInitiation).count
        #expect(pair.log.count == initiations && (17...20).contains(initiations))
        #expect(pair.bob.statistics.drops == [.unknownPeer: UInt64(initiations)])
        #expect(pair.bob.nextOutput() == nil)
    }

    @Test func `P-5.9 more packets do not prolong an attempt that nobody answers`() throws {
        let pair = try TunnelPair()
        pair.passage = { _ in nil }
        try pair.run(for: .seconds(110)) { second in
            if second < 80 { try pair.alice.send(TunnelPair.packet(second), to: pair.toBob, at: pair.now) }
        }
        #expect(pair.events == [.alice: [.handshakeGivenUp]])
        #expect(pair.alice.statistics.drops == [.handshakeUnanswered: 80])
        #expect(pair.alice.nextDeadline.map { $0 > pair.now } ?? true)
    }

    @Test func `the newest packets are the ones that wait`() throws {
        let pair = try TunnelPair()
        for number in 0..<130 { try pair.alice.send(TunnelPair.packet(number), to: pair.toBob, at: pair.now) }
        pair.settle()
        #expect(pair.delivered[.bob]?.map(TunnelPair.number) == Array(2..<130))
    }

    @Test func `ten minutes with traffic both ways: sessions follow each other, nothing is lost`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        try pair.run(for: .seconds(600)) { second in
            try pair.alice.send(TunnelPair.packet(second), to: pair.toBob, at: pair.now)
            try pair.bob.send(TunnelPair.packet(-second), to: pair.toAlice, at: pair.now)
        }
        #expect(pair.delivered[.bob]?.map(TunnelPair.number) == Array(0..<600))
        #expect(pair.delivered[.alice]?.map(TunnelPair.number) == (0..<600).map { -$0 })
        // One every 120 s, and the first.
        #expect(pair.events[.alice] == Array(repeating: .handshakeCompleted(initiator: true), count: 5))
        #expect(pair.alice.statistics.drops.isEmpty && pair.bob.statistics.drops.isEmpty)
        #expect(pair.alice.statistics.packetsSealed == 601 && pair.bob.statistics.packetsOpened == 601)
    }

    @Test func `a peer that roams is followed, and its packets still arrive`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        pair.aliceAddress = TunnelPair.endpoint(9, port: 1024)
        try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        pair.settle()
        try pair.bob.send(TunnelPair.packet(2), to: pair.toAlice, at: pair.now)
        pair.settle()
        #expect(pair.events[.bob]?.last == .endpointChanged(pair.aliceAddress))
        #expect(try pair.bob.status(of: pair.toAlice).endpoint == pair.aliceAddress)
        #expect(pair.delivered == [.bob: [TunnelPair.packet(1)], .alice: [TunnelPair.packet(2)]])
    }

    @Test func `a forged datagram from elsewhere moves no endpoint`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        pair.passage = { datagram in
            guard datagram.isData else { return datagram.bytes }
            var bytes = datagram.bytes
            bytes[bytes.count - 1] ^= 1
            return bytes
        }
        let before = pair.aliceAddress
        pair.aliceAddress = TunnelPair.endpoint(66)
        try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        pair.settle()
        #expect(pair.bob.statistics.drops == [.forged: 1])
        #expect(try pair.bob.status(of: pair.toAlice).endpoint == before)
        #expect(pair.delivered.isEmpty)
    }

    @Test func `a datagram that comes twice is taken once`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        pair.settle()
        let again = try #require(pair.log.last?.bytes)
        #expect(pair.bob.receive(again, from: pair.aliceAddress, at: pair.now) == .replayed)
        #expect(pair.bob.receive(pair.log[0].bytes, from: pair.aliceAddress, at: pair.now) == .replayedInitiation)
        #expect(pair.bob.nextOutput() == nil)
    }

    @Test func `persistent keepalives go out at their interval, the first at once`() throws {
        let pair = try TunnelPair(keepalive: .seconds(25))
        #expect(pair.events[.alice] == [.handshakeCompleted(initiator: true)])
        try pair.run(for: .seconds(101))
        let keepalives = pair.log.filter { $0.from == .alice && $0.bytes.count == 32 }
        #expect(keepalives.count == 5)
        #expect(zip(keepalives, keepalives.dropFirst()).allSatisfy { $0.at.duration(to: $1.at) >= .seconds(25) })
        try pair.alice.setPersistentKeepalive(of: pair.toBob, to: .zero, at: pair.now)
        let count = pair.log.count
        try pair.run(for: .seconds(60))
        #expect(pair.log.count == count)
        #expect(pair.delivered.isEmpty)
    }

    @Test func `who received data and has nothing to say answers with a keepalive after 10 s`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        let count = pair.log.count
        try pair.run(for: .milliseconds(9900))
        #expect(pair.log.count == count)
        try pair.run(for: .milliseconds(200))
        #expect(pair.log.dropFirst(count).map(\.from) == [.bob])
        #expect(pair.log.last?.bytes.count == 32)
    }

    @Test func `keys that are not replaced are wiped, and then there is nothing to wait for`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        try pair.run(for: .seconds(545))
        #expect(pair.events[.alice]?.last == .keysWiped)
        #expect(pair.events[.bob]?.last == .keysWiped)
        #expect(pair.alice.nextDeadline == nil && pair.bob.nextDeadline == nil)
        try pair.connect()
        #expect(pair.events[.alice]?.last == .handshakeCompleted(initiator: true))
    }

    @Test func `packets of every size arrive as they were`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        let sizes = Array(24...100) + [1419, 1420, 1421, 9000, 65_472, Tunnel.largestPacket]
        for size in sizes {
            try pair.alice.send(TunnelPair.packet(size, count: size), to: pair.toBob, at: pair.now)
            pair.settle()
        }
        let intact = pair.delivered[.bob] == sizes.map { TunnelPair.packet($0, count: $0) }
        #expect(intact)
        // Padded to 16, but not beyond the MTU nor beyond what a datagram can hold.
        #expect(pair.log.suffix(6).map(\.bytes.count) == [1452, 1452, 1468, 9032, 65_507, 65_507])
    }

    @Test func `what stands behind a packet is not sent`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        try pair.alice.send(TunnelPair.packet(1) + [1, 2, 3], to: pair.toBob, at: pair.now)
        pair.settle()
        #expect(pair.delivered == [.bob: [TunnelPair.packet(1)]])
    }

    @Test func `garbage of every length and first byte is counted, and answered by nothing`() throws {
        let pair = try TunnelPair()
        try pair.connect()
        var total: UInt64 = 0
        for first in UInt8(0)...5 {
            for count in Array(0...160) + [1500, 65_507, 65_535, 70_000] {
                var bytes = [UInt8](repeating: 0, count: count)
                if count > 0 { bytes[0] = first }
                #expect(pair.bob.receive(bytes, from: TunnelPair.endpoint(66), at: pair.now) != nil)
                total += 1
            }
        }
        #expect(pair.bob.statistics.drops.values.reduce(0, +) == total)
        #expect(pair.bob.nextOutput() == nil)
        #expect(try pair.bob.status(of: pair.toAlice).endpoint == pair.aliceAddress)
        try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        pair.settle()
        #expect(pair.delivered == [.bob: [TunnelPair.packet(1)]])
    }

    @Test func `a lost handshake is begun again, and the packet arrives`() throws {
        let pair = try TunnelPair()
        var lost = 0
        pair.passage = { datagram in
            lost += 1
            return lost <= 3 ? nil : datagram.bytes
        }
        try pair.alice.send(TunnelPair.packet(1), to: pair.toBob, at: pair.now)
        try pair.run(for: .seconds(20))
        #expect(pair.delivered == [.bob: [TunnelPair.packet(1)]])
    }

    @Test func `one tunnel has many peers, each with its own session`() throws {
        let key = Tunnel.PrivateKey.generate()
        let hubPublic = key.publicKey
        let start = TunnelPair.start
        let hub = Tunnel(privateKey: key, wallTime: TunnelPair.date, at: start)
        var spokes: [(tunnel: Tunnel, address: Tunnel.Endpoint, handle: Tunnel.PeerHandle)] = []
        for number in UInt8(1)...20 {
            let key = Tunnel.PrivateKey.generate()
            let publicKey = key.publicKey
            let spoke = Tunnel(privateKey: key, wallTime: TunnelPair.date, at: start)
            let toHub = try spoke.addPeer(publicKey: hubPublic, endpoint: TunnelPair.endpoint(200), at: start)
            let handle = try hub.addPeer(publicKey: publicKey, at: start)
            spokes.append((spoke, TunnelPair.endpoint(number), handle))
            try spoke.send(TunnelPair.packet(Int(number)), to: toHub, at: start)
        }
        var received: [Tunnel.PeerHandle: [[UInt8]]] = [:]
        for _ in 0..<4 {
            for spoke in spokes {
                while case .send(let datagram, to: _)? = spoke.tunnel.nextOutput() {
                    hub.receive(datagram, from: spoke.address, at: start)
                }
            }
            while let output = hub.nextOutput() {
                switch output {
                case .send(let datagram, to: let address):
                    let spoke = try #require(spokes.first { $0.address == address })
                    spoke.tunnel.receive(datagram, from: TunnelPair.endpoint(200), at: start)
                    // What it has to say of its own is an event first.
                    if case .send(let data, to: _)? = skipEvents(spoke.tunnel) {
                        hub.receive(data, from: spoke.address, at: start)
                    }
                case .deliver(let packet, from: let peer): received[peer, default: []].append(packet)
                case .event: break
                }
            }
        }
        #expect(received.count == 20)
        for (number, spoke) in spokes.enumerated() {
            #expect(received[spoke.handle] == [TunnelPair.packet(number + 1)])
        }
    }

    private func skipEvents(_ tunnel: Tunnel) -> Tunnel.Output? {
        while let output = tunnel.nextOutput() {
            if case .event = output { continue }
            return output
        }
        return nil
    }
}
