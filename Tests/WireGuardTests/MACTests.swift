import Crypto
import Testing
import Wire

@testable import WireGuard

/// mac1, mac2, and the cookies of a responder under load (P-3.1 to P-3.8).
@Suite struct MACTests {
    private static let cookie = [UInt8](repeating: 0xc0, count: 16)

    private static func initiation(of pair: Pair) throws -> [UInt8] {
        pair.aliceSends(Pair.packet(1))
        return try #require(pair.alice.takeOutput().first).bytes
    }

    private static var bob: ScriptedPeer { ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic) }

    @Test func `P-3.1 mac1 is the keyed hash of all before it, on both handshake messages`() throws {
        let pair = Pair()
        pair.connect()
        let sent = pair.link.log.map(\.datagram.bytes)
        for (message, receiver) in zip(sent.prefix(2), [HandshakeTests.bobPublic, HandshakeTests.alicePublic]) {
            let key = Oracle.hash([UInt8]("mac1----".utf8) + receiver)
            let body = [UInt8](message.dropLast(32))
            #expect([UInt8](message.suffix(32).prefix(16)) == Oracle.mac(key, body))
        }
    }

    @Test func `P-3.2, P-3.7 a cookie makes mac2, and answers one message only`() throws {
        let pair = Pair()
        let initiation = try Self.initiation(of: pair)
        let reply = Self.bob.cookieReply(to: initiation, cookie: Self.cookie)
        #expect(pair.alice.receive(Tap.toAlice(reply), pair.link.now) == nil)
        #expect(pair.alice.receive(Tap.toAlice(reply), pair.link.now) == .invalidCookieReply)
        pair.link.run(.seconds(6))
        let next = try #require(pair.sightings(from: pair.alice, .initiation).last).datagram.bytes
        #expect([UInt8](next.suffix(16)) == Oracle.mac(Self.cookie, [UInt8](next.dropLast(16))))
    }

    @Test func `P-3.7 a cookie reply that answers nothing we sent last is refused`() throws {
        let pair = Pair()
        let first = try Self.initiation(of: pair)
        pair.link.run(.seconds(6))
        // To the first initiation, which another one has replaced: the index is nobody's.
        let old = Self.bob.cookieReply(to: first, cookie: Self.cookie)
        #expect(pair.alice.receive(Tap.toAlice(old), pair.link.now) == .unknownReceiver)
        // With the index of the second and the mac1 of the first.
        let second = try #require(pair.link.log.first { $0.datagram.type == .initiation }).datagram.bytes
        let mixed = Array(old[0..<4]) + second[4..<8] + old[8...]
        #expect(pair.alice.receive(Tap.toAlice(mixed), pair.link.now) == .invalidCookieReply)
        // Made by someone who has seen the initiation but claims to be another responder.
        let stranger = ScriptedPeer([UInt8](repeating: 3, count: 32), remote: HandshakeTests.alicePublic)
        let forged = stranger.cookieReply(to: second, cookie: Self.cookie)
        #expect(pair.alice.receive(Tap.toAlice(forged), pair.link.now) == .invalidCookieReply)
    }

    @Test func `P-3.7 a response can be answered with a cookie too, by the session's index`() throws {
        let pair = Pair()
        var bob = Self.bob
        pair.alice.receive(Tap.toAlice(bob.initiation(stamp: ScriptedPeer.stamp(seconds: 1))), pair.link.now)
        let response = try #require(pair.alice.takeOutput().first).bytes
        let reply = bob.cookieReply(to: response, cookie: Self.cookie)
        #expect(pair.alice.receive(Tap.toAlice(reply), pair.link.now) == nil)
    }

    @Test func `P-3.8, P-5.10 a cookie reply moves no timer, no endpoint, no counter`() throws {
        let pair = Pair()
        let initiation = try Self.initiation(of: pair)
        pair.link.run(.seconds(1))
        let before = EngineState(pair.alice.engine)
        let reply = Self.bob.cookieReply(to: initiation, cookie: Self.cookie)
        let elsewhere = Tap.toAlice(reply, from: Pair.endpoint(77, host: 77))
        #expect(pair.alice.receive(elsewhere, pair.link.now) == nil)
        #expect(EngineState(pair.alice.engine) == before)
        #expect(pair.alice.takeOutput().isEmpty)
    }

    @Test func `P-3.5 a cookie is used for 115 s`() {
        let macs = OutgoingMACs(peer: Pair.privateKey(Pair.bobKey).publicKey)
        let start = Instant(nanoseconds: 5_000_000_000)
        func mac2(at moment: Instant) -> (message: [UInt8], mac2: [UInt8]) {
            var message = [UInt8](repeating: 1, count: 148)
            unsafe message.withUnsafeMutableBytes {
                unsafe macs.seal($0.baseAddress.unsafelyUnwrapped, mac1: Initiation.mac1, moment)
            }
            return (message, [UInt8](message.suffix(16)))
        }
        let reply = Self.bob.cookieReply(to: mac2(at: start).message, cookie: Self.cookie)
        let taken = unsafe reply.withUnsafeBytes {
            unsafe macs.consume(cookieReply: $0.baseAddress.unsafelyUnwrapped, start)
        }
        #expect(taken)
        let zeros = [UInt8](repeating: 0, count: 16)
        let table: [(UInt64, fresh: Bool)] = [
            (0, true), (60_000_000_000, true), (114_999_999_999, true), (115_000_000_000, false),
            (120_000_000_000, false), (1 << 50, false),
        ]
        for (age, fresh) in table {
            #expect((mac2(at: start + Interval(nanoseconds: age)).mac2 != zeros) == fresh, "\(age) ns")
        }
    }
}
