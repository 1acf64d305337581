import Testing
import Wire

@testable import WireGuard

/// The four messages on the wire (P-1.3 to P-1.6).
@Suite struct MessageTests {
    private static func type(_ bytes: [UInt8]) -> MessageType? {
        Datagram(bytes: bytes, source: Pair.aliceEndpoint, destination: Pair.bobEndpoint).type
    }

    @Test func `P-1.3, P-1.4, P-1.5, P-1.6 each type has its lengths and no others`() {
        for count in 0...200 {
            for type in UInt8(0)...7 {
                var bytes = [UInt8](repeating: 0, count: count)
                if count > 0 { bytes[0] = type }
                let expected: MessageType? =
                    switch (type, count) {
                    case (1, 148): .initiation
                    case (2, 92): .response
                    case (3, 64): .cookieReply
                    case (4, 32...): .data
                    default: nil
                    }
                #expect(Self.type(bytes) == expected, "type \(type), \(count) bytes")
            }
        }
        #expect(Self.type([4] + [UInt8](repeating: 0, count: 65_506)) == .data)
    }

    @Test func `P-1.3 reserved bytes that are not zero make it no message of ours`() {
        for (type, count) in [(1, 148), (2, 92), (3, 64), (4, 32)] as [(UInt8, Int)] {
            for position in 1...3 {
                for bit in 0..<8 {
                    var bytes = [UInt8](repeating: 0, count: count)
                    bytes[0] = type
                    bytes[position] = 1 << bit
                    #expect(Self.type(bytes) == nil)
                }
            }
        }
    }

    @Test func `P-1.3, P-1.4, P-1.6 every field stands where the paper puts it`() throws {
        let pair = Pair()
        pair.connect()
        let sent = pair.link.log.map(\.datagram.bytes)
        let initiation = try #require(sent.first)
        let response = try #require(sent.dropFirst().first)
        let data = try #require(sent.dropFirst(2).first)
        #expect(sent.map(\.count) == [148, 92, 80])

        var bob = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
        let taken = bob.consume(initiation: initiation)
        let seen = try #require(taken)
        #expect(initiation.prefix(4) == [1, 0, 0, 0])
        #expect(seen.staticKey == HandshakeTests.alicePublic)
        #expect(seen.stamp == ScriptedPeer.stamp(seconds: 1_700_000_000))

        #expect(response.prefix(4) == [2, 0, 0, 0])
        #expect(response.word(8) == initiation.word(4))
        #expect(response.word(4) == pair.bobView.keypairs.current?.localIndex)

        #expect(data.prefix(4) == [4, 0, 0, 0])
        #expect(data.word(4) == response.word(4))
        #expect(data[8..<16] == [0, 0, 0, 0, 0, 0, 0, 0])
        for message in [initiation, response] {
            #expect(message.suffix(16) == ArraySlice([UInt8](repeating: 0, count: 16)), "no cookie, no mac2")
        }
    }

    @Test func `P-4.7 a keepalive is 32 bytes, the tag of nothing`() throws {
        let pair = Pair()
        pair.connect()
        pair.alice.engine.sendKeepalive(to: pair.toBob, pair.link.now)
        pair.alice.settle(pair.link.now)
        pair.link.run(.seconds(1))
        #expect(pair.link.log.last?.datagram.bytes.count == 32)
        #expect(pair.bob.keepalivesReceived == 1)
        #expect(pair.bob.delivered.count == 1)
    }
}
