import Support
import Testing
import Wire

@testable import WireGuard

/// Messages that are cut, stretched, bent or made up: each is refused and counted, and nothing else happens (S-21, S-28).
@Suite struct HostileInputTests {
    /// A node that waits for a message, and that message, valid and not yet delivered.
    struct Case {
        let node: Node
        let message: Datagram
        /// Bytes that the message's own MAC or tag covers; mac2 means nothing while there is no load.
        let covered: Int
        let now: Instant
    }

    static func make(_ type: MessageType) throws -> Case {
        let pair = Pair()
        switch type {
        case .initiation:
            pair.aliceSends(Pair.packet(1))
            let message = try #require(pair.alice.takeOutput().first)
            return Case(node: pair.bob, message: message, covered: 132, now: pair.link.now)
        case .response:
            pair.aliceSends(Pair.packet(1))
            pair.bob.receive(try #require(pair.alice.takeOutput().first), pair.link.now)
            let message = try #require(pair.bob.takeOutput().first)
            return Case(node: pair.alice, message: message, covered: 76, now: pair.link.now)
        case .cookieReply:
            pair.aliceSends(Pair.packet(1))
            let initiation = try #require(pair.alice.takeOutput().first).bytes
            let bob = ScriptedPeer(Pair.bobKey, remote: HandshakeTests.alicePublic)
            let reply = bob.cookieReply(to: initiation, cookie: [UInt8](repeating: 9, count: 16))
            return Case(node: pair.alice, message: Tap.toAlice(reply), covered: 64, now: pair.link.now)
        case .data:
            pair.connect()
            pair.aliceSends(Pair.packet(1))
            let message = try #require(pair.alice.takeOutput().first)
            return Case(node: pair.bob, message: message, covered: message.bytes.count, now: pair.link.now)
        }
    }

    static let types: [MessageType] = [.initiation, .response, .cookieReply, .data]

    /// Gives each of `variants` to the node and expects a rejection and no more.
    private static func refuse(_ variants: [[UInt8]], _ one: Case) -> [Rejection: Int] {
        let before = EngineState(one.node.engine)
        let delivered = one.node.delivered.count
        for (number, bytes) in variants.enumerated() {
            var datagram = one.message
            datagram.bytes = bytes
            if one.node.receive(datagram, one.now) == nil { Issue.record("variant \(number) was taken") }
        }
        #expect(EngineState(one.node.engine) == before)
        #expect(one.node.output.isEmpty && one.node.delivered.count == delivered)
        #expect(one.node.rejections.values.reduce(0, +) == variants.count)
        // The message itself is good, before all that as after it.
        let final = one.node.receive(one.message, one.now)
        #expect(final == nil)
        return one.node.rejections
    }

    @Test(arguments: types)
    func `every length from 0 to 200`(type: MessageType) throws {
        let one = try Self.make(type)
        let whole = one.message.bytes
        let variants = (0...200).filter { $0 != whole.count }.map { count in
            Array(whole.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - whole.count))
        }
        let refused = Self.refuse(variants, one)
        #expect(Set(refused.keys) == (type == .data ? [.notWireGuard, .forged] : [.notWireGuard]))
    }

    @Test(arguments: types)
    func `every single bit`(type: MessageType) throws {
        let one = try Self.make(type)
        let variants = (0..<8 * one.covered).map { bit in
            var bytes = one.message.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            return bytes
        }
        let refused = Self.refuse(variants, one)
        let expected: Set<Rejection> =
            switch type {
            case .initiation, .response: [.notWireGuard, .badMAC1]
            case .cookieReply: [.notWireGuard, .unknownReceiver, .invalidCookieReply]
            // A counter beyond the limit, or one that is known already.
            case .data: [.notWireGuard, .unknownReceiver, .forged, .replayed]
            }
        #expect(Set(refused.keys) == expected)
    }

    /// Whoever knows our public key can make mac1: what is behind it must hold by itself. The sender's index alone is
    /// covered by nothing else; a wrong one makes an answer that nobody takes.
    @Test(arguments: [MessageType.initiation, .response])
    func `every single bit with a mac1 that is right again`(type: MessageType) throws {
        let one = try Self.make(type)
        let toBob = type == .initiation
        let author = ScriptedPeer(
            toBob ? Pair.aliceKey : Pair.bobKey,
            remote: toBob ? HandshakeTests.bobPublic : HandshakeTests.alicePublic)
        let body = Array(one.message.bytes.dropLast(32))
        let variants = (8 * 8..<8 * body.count).map { bit in
            var bytes = body
            bytes[bit / 8] ^= 1 << (bit % 8)
            return author.authenticated(bytes)
        }
        let refused = Self.refuse(variants, one)
        #expect(
            refused
                == (toBob
                    ? [.invalidInitiation: variants.count]
                    : [.unknownReceiver: 32, .invalidResponse: variants.count - 32]))
    }

    @Test func `S-21 a flood of bad initiations leaves nothing behind`() throws {
        let one = try Self.make(.initiation)
        let author = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        var random = SeededGenerator(seed: 21)
        func noise(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
        var variants = (0..<5000).map { _ in [1, 0, 0, 0] + noise(144) }
        variants += (0..<500).map { _ in author.authenticated([1, 0, 0, 0] + noise(112)) }
        for _ in 0..<100 {
            var stranger = ScriptedPeer(noise(32), remote: HandshakeTests.bobPublic)
            variants.append(stranger.initiation(stamp: ScriptedPeer.stamp(seconds: 1)))
        }
        let refused = Self.refuse(variants, one)
        #expect(refused == [.badMAC1: 5000, .invalidInitiation: 500, .unknownPeer: 100])
        // Only the last one, which was Alice's, has left something.
        #expect(one.node.engine.index.count == 1 && one.node.engine.peers.count == 1)
    }

    @Test func `S-21 a peer that begins again and again keeps one session waiting`() {
        let pair = Pair()
        var alice = ScriptedPeer(Pair.aliceKey, remote: HandshakeTests.bobPublic)
        for number in 0..<500 {
            pair.link.run(.milliseconds(20))
            #expect(Tap(pair).give(alice.initiation(stamp: ScriptedPeer.stamp(seconds: UInt64(number)))).count == 1)
            #expect(pair.bob.engine.index.count == 1)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `noise of any length and type`(seed: UInt64) throws {
        let one = try Self.make(.data)
        var random = SeededGenerator(seed: seed)
        let session = Array(one.message.bytes[4..<8])
        let variants = (0..<3000).map { number in
            let count = Int.random(in: 0...300, using: &random)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            if count >= 4 { bytes.replaceSubrange(0..<4, with: [UInt8.random(in: 0...5, using: &random), 0, 0, 0]) }
            if count >= 8, number % 2 == 0 { bytes.replaceSubrange(4..<8, with: session) }
            return bytes
        }
        _ = Self.refuse(variants, one)
    }
}
