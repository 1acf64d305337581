import Testing
import WireGuard

/// Authentic data whose content is no packet: what only a peer with a mind of its own sends (P-4.8, P-4.10, S-32).
@Suite struct TunnelInnerPacketTests {
    private static func edited(_ edits: [Int: UInt8], count: Int = 64, first: UInt8 = 0x45) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        if count > 0 { bytes[0] = first }
        for (position, value) in edits where position < count { bytes[position] = value }
        return bytes
    }

    private static let place = TunnelPair.endpoint(6)

    /// A tunnel and a peer of its who writes her own bytes, after her handshake.
    private static func connected() throws -> (Tunnel, Tunnel.PeerHandle, ScriptedPeer.Session) {
        guard let privateKey = Tunnel.PrivateKey([UInt8](repeating: 0xb0, count: 32).span) else {
            preconditionFailure("32 bytes are a key")
        }
        let tunnel = Tunnel(privateKey: privateKey, wallTime: TunnelPair.date, at: TunnelPair.start)
        var eve = ScriptedPeer([UInt8](repeating: 0xa1, count: 32), remote: tunnel.publicKey.bytes)
        let evePublic = eve.publicKey
        let peerKey = Tunnel.PublicKey(evePublic.span)
        let handle = try tunnel.addPeer(publicKey: try #require(peerKey), at: TunnelPair.start)

        let initiation = eve.initiation(stamp: ScriptedPeer.stamp(seconds: 1))
        #expect(tunnel.receive(initiation, from: Self.place, at: TunnelPair.start) == nil)
        var response: [UInt8]?
        while let output = tunnel.nextOutput() {
            if case .send(let bytes, to: Self.place) = output { response = bytes }
        }
        let taken = eve.consume(response: try #require(response))
        let session = try #require(taken)
        return (tunnel, handle, session)
    }

    @Test func `P-4.8 is counted by what is wrong with it, and proves the peer alive all the same`() throws {
        let (tunnel, handle, session) = try Self.connected()

        let table: [(content: [UInt8], drop: Tunnel.Drop?, delivered: Int?)] = [
            (Self.edited([:], count: 0), nil, nil),
            (Self.edited([:], count: 1), .innerTooShort, nil),
            (Self.edited([3: 19], count: 19), .innerTooShort, nil),
            (Self.edited([:], count: 39, first: 0x60), .innerTooShort, nil),
            (Self.edited([3: 20], first: 0x55), .innerNotIP, nil),
            (Self.edited([3: 19]), .innerLyingLength, nil),
            (Self.edited([3: 65]), .innerLyingLength, nil),
            (Self.edited([2: 0xff, 3: 0xff]), .innerLyingLength, nil),
            (Self.edited([4: 0xff, 5: 0xff], first: 0x60), .innerLyingLength, nil),
            (Self.edited([3: 20]), nil, 20),
            (Self.edited([3: 64]), nil, 64),
            (Self.edited([5: 0], first: 0x60), nil, 40),
            (Self.edited([5: 24], first: 0x60), nil, 64),
        ]
        var bytes = UInt64(148)
        for (counter, row) in table.enumerated() {
            let message = ScriptedPeer.data(session, UInt64(counter), row.content)
            bytes += UInt64(message.count)
            #expect(tunnel.receive(message, from: Self.place, at: TunnelPair.start) == row.drop, "row \(counter)")
            var delivered: Int?
            while let output = tunnel.nextOutput() {
                if case .deliver(let packet, from: let peer) = output, peer == handle {
                    #expect(packet == Array(row.content.prefix(packet.count)))
                    delivered = packet.count
                }
            }
            #expect(delivered == row.delivered, "row \(counter)")
            #expect(try tunnel.status(of: handle).bytesReceived == bytes)
        }
        #expect(tunnel.statistics.packetsOpened == 4)
        #expect(
            tunnel.statistics.drops == [.innerTooShort: 3, .innerNotIP: 1, .innerLyingLength: 4])
    }

    /// A responder, before anything has come in its session: the first message in it is none that could be delivered.
    @Test func `P-4.10 it moves the endpoint, confirms the session and starts the timers before anybody looks inside`()
        throws
    {
        let (tunnel, handle, session) = try Self.connected()
        let nonsense = Self.edited([3: 20], first: 0x55)
        let packet = TunnelPair.packet(1, count: 48)
        #expect(try tunnel.send(packet, to: handle, at: TunnelPair.start) == .staged)
        #expect(tunnel.nextOutput() == nil, "the session is not confirmed")

        let elsewhere = TunnelPair.endpoint(7)
        let first = ScriptedPeer.data(session, 0, nonsense)
        #expect(tunnel.receive(first, from: elsewhere, at: TunnelPair.start) == .innerNotIP)
        #expect(try tunnel.status(of: handle).endpoint == elsewhere)
        let staged = Self.sent(tunnel)
        #expect(staged.map(\.to) == [elsewhere], "what was staged goes where the sender is now")
        #expect(try ScriptedPeer.open(session, #require(staged.first).bytes) == packet)

        // Another one, which nothing answers: it is answered by a keepalive, as data is that can be delivered.
        let later = TunnelPair.start.advanced(by: .seconds(1))
        let third = TunnelPair.endpoint(8)
        #expect(tunnel.receive(ScriptedPeer.data(session, 1, nonsense), from: third, at: later) == .innerNotIP)
        #expect(Self.sent(tunnel).isEmpty)
        tunnel.advance(to: later.advanced(by: .milliseconds(9900)))
        #expect(Self.sent(tunnel).isEmpty)
        tunnel.advance(to: later.advanced(by: .milliseconds(10_100)))
        let keepalive = Self.sent(tunnel)
        #expect(keepalive.map(\.bytes.count) == [32] && keepalive.map(\.to) == [third])
    }

    /// What is to go on the wire now.
    private static func sent(_ tunnel: Tunnel) -> [(bytes: [UInt8], to: Tunnel.Endpoint)] {
        var sent: [(bytes: [UInt8], to: Tunnel.Endpoint)] = []
        while let output = tunnel.nextOutput() {
            if case .send(let bytes, to: let endpoint) = output { sent.append((bytes, endpoint)) }
        }
        return sent
    }

    @Test func `P-4.6 the padding is zeros, whatever went through the same memory before`() throws {
        let (tunnel, handle, session) = try Self.connected()
        let now = TunnelPair.start
        let confirmation = ScriptedPeer.data(session, 0, [UInt8](repeating: 0xff, count: 2000))
        #expect(tunnel.receive(confirmation, from: Self.place, at: now) == .innerNotIP)
        for count in [1400, 47, 33, 24, 1419] {
            let packet = TunnelPair.packet(0xff, count: count)
            #expect(try tunnel.send(packet, to: handle, at: now) == .sealed)
            var sent: [UInt8]?
            while let output = tunnel.nextOutput() {
                if case .send(let bytes, to: Self.place) = output { sent = bytes }
            }
            let padded = min((count + 15) / 16 * 16, 1420)
            let content = ScriptedPeer.open(session, try #require(sent))
            #expect(content == packet + [UInt8](repeating: 0, count: padded - count))
        }
    }
}
