import Crypto
import Testing
import Wire

@testable import WireGuard

/// What a handshake message has to pass under load: a cookie, and a place in its sender's bucket (P-3.3…P-3.14).
@Suite struct LoadTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)
    private static let entropy = Entropy.predictableForTests(seed: 9)
    private static let bob = Identity(Pair.privateKey(Pair.bobKey))

    private static func at(_ milliseconds: UInt64) -> Instant { start + .milliseconds(milliseconds) }

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    // MARK: The gate

    /// Alice's initiations as they reach Bob's gate.
    private struct Scene {
        let pair = Pair()
        let gate = HandshakeGate(LoadTests.entropy, now: LoadTests.start)

        /// Alice's next initiation.
        func initiation() throws -> [UInt8] {
            pair.aliceSends(Pair.packet(1))
            if let first = pair.alice.takeOutput().first(where: { $0.type == .initiation }) { return first.bytes }
            pair.link.run(.seconds(6))
            return try #require(pair.sightings(from: pair.alice, .initiation).last).datagram.bytes
        }

        func judge(
            _ message: [UInt8], from source: Endpoint = Pair.aliceEndpoint, waiting: Int, at now: Instant
        ) -> HandshakeGate.Judgement {
            unsafe message.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, let type = unsafe MessageType(at: start, count: bytes.count) else {
                    return .reject(.notWireGuard)
                }
                let local = LocalAddress(address: Pair.bobEndpoint.address, interface: 3)
                return unsafe gate.judge(
                    start, type, from: Path(remote: source, local: local), LoadTests.bob, waiting: waiting, now)
            }
        }
    }

    private enum Outcome: Equatable {
        case admitted, replied
        case rejected(Rejection)

        init(_ judgement: HandshakeGate.Judgement) {
            switch judgement {
            case .admit: self = .admitted
            case .reply: self = .replied
            case .reject(let rejection): self = .rejected(rejection)
            }
        }
    }

    private static func bytes(_ message: Outgoing) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: message.count) { buffer, count in
            if let start = buffer.baseAddress { unsafe message.copy(to: UnsafeMutableRawPointer(start)) }
            count = message.count
        }
    }

    @Test func `P-3.9, S-7 under load is from an eighth of the queue on, and a second longer than the load`() throws {
        let scene = Scene()
        let message = try scene.initiation()
        let load = Limits.handshakeLoad
        #expect(load == 512 && Limits.handshakeQueue == 4096)
        #expect(Outcome(scene.judge(message, waiting: load - 1, at: Self.at(0))) == .admitted)
        #expect(Outcome(scene.judge(message, waiting: load, at: Self.at(10))) == .replied)
        #expect(Outcome(scene.judge(message, waiting: 0, at: Self.at(1009))) == .replied)
        #expect(Outcome(scene.judge(message, waiting: 0, at: Self.at(1010))) == .admitted)
    }

    @Test func `P-3.1, P-3.14 without a good mac1 a message goes no further`() throws {
        let scene = Scene()
        let message = try scene.initiation()
        let refused = { (message: [UInt8]) in
            unsafe message.withUnsafeBytes {
                unsafe scene.pair.bob.engine.refusal(of: $0.baseAddress.unsafelyUnwrapped, .initiation)
            }
        }
        #expect(refused(message) == nil)
        for position in 0..<132 {
            var damaged = message
            damaged[position] ^= 1
            let type = unsafe damaged.withUnsafeBytes {
                unsafe MessageType(at: $0.baseAddress.unsafelyUnwrapped, count: 148)
            }
            guard type == .initiation else { continue }
            #expect(refused(damaged) == .badMAC1)
        }
    }

    @Test func `P-3.3, P-3.4, P-3.11, P-3.13, S-5 a cookie is its address's, for two minutes`() throws {
        let scene = Scene()
        let message = try scene.initiation()
        guard case .reply(let reply) = scene.judge(message, waiting: 4000, at: Self.at(0)) else {
            Issue.record("no cookie")
            return
        }
        #expect(reply.peer == .none, "nobody's traffic")
        #expect(reply.path.remote == Pair.aliceEndpoint)
        #expect(reply.path.local?.address == Pair.bobEndpoint.address, "from where it arrived")
        #expect(reply.count == 64)
        #expect(scene.pair.alice.receive(Tap.toAlice(Self.bytes(reply)), scene.pair.link.now) == nil)
        scene.pair.link.run(.seconds(6))
        let second = try #require(scene.pair.sightings(from: scene.pair.alice, .initiation).last).datagram.bytes
        #expect([UInt8](second.suffix(16)) != [UInt8](repeating: 0, count: 16))
        #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(500))) == .admitted)
        // The cookie is of the address and the port.
        let elsewhere = [Pair.endpoint(Pair.aliceEndpoint.port + 1), Pair.endpoint(Pair.aliceEndpoint.port, host: 2)]
        for source in elsewhere {
            #expect(Outcome(scene.judge(second, from: source, waiting: 4000, at: Self.at(500))) == .replied)
        }
        // And of the secret, which is another one after 120 s.
        #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(119_999))) == .admitted)
        #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(120_001))) == .replied)
    }

    @Test func `P-3.11 responses need a cookie too`() throws {
        let pair = Pair()
        pair.connect()
        let response = try #require(pair.sightings(from: pair.bob, .response).first).datagram.bytes
        let gate = HandshakeGate(Self.entropy, now: Self.start)
        let alice = Identity(Pair.privateKey(Pair.aliceKey))
        let judged = unsafe response.withUnsafeBytes {
            unsafe gate.judge(
                $0.baseAddress.unsafelyUnwrapped, .response, from: Path(remote: Pair.bobEndpoint), alice, waiting: 512,
                Self.start)
        }
        guard case .reply(let reply) = judged else {
            Issue.record("no cookie")
            return
        }
        #expect(Self.bytes(reply)[4..<8] == response[4..<8], "to the index of the response's sender")
    }

    @Test func `P-3.12 with a cookie an address begins five handshakes at once, then 20 a second`() throws {
        let scene = Scene()
        let message = try scene.initiation()
        guard case .reply(let reply) = scene.judge(message, waiting: 4000, at: Self.at(0)) else {
            Issue.record("no cookie")
            return
        }
        _ = scene.pair.alice.receive(Tap.toAlice(Self.bytes(reply)), scene.pair.link.now)
        scene.pair.link.run(.seconds(6))
        let second = try #require(scene.pair.sightings(from: scene.pair.alice, .initiation).last).datagram.bytes
        for _ in 0..<5 { #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(10))) == .admitted) }
        #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(10))) == .rejected(.sourceTooBusy))
        #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(60))) == .admitted)
        #expect(Outcome(scene.judge(second, waiting: 4000, at: Self.at(60))) == .rejected(.sourceTooBusy))
    }

    // MARK: Its parts

    /// A limiter that expectations can ask.
    private final class Limiter {
        private var limiter: SourceLimiter
        init(bound: Int = Limits.countedSources) { limiter = SourceLimiter(bound: bound) }
        func admits(_ address: IPAddress, _ now: Instant) -> Bool { limiter.admits(address, now) }
        var count: Int { limiter.count }
    }

    /// After the first five at once: milliseconds waited, and how many then pass before one fails.
    private static let table: [(wait: UInt64, pass: Int)] = [
        (0, 5), (50, 1), (100, 2), (49, 0), (1, 1), (1000, 5), (150, 3),
    ]

    @Test(arguments: ["192.0.2.1", "2001:db8:1:2::1"])
    func `P-3.12 a bucket fills by 20 a second, to five`(address: String) throws {
        let limiter = Limiter()
        let address = try Self.address(address)
        var now = Self.start
        for (step, row) in Self.table.enumerated() {
            now = now + .milliseconds(row.wait)
            for _ in 0..<row.pass { #expect(limiter.admits(address, now), "step \(step)") }
            #expect(!limiter.admits(address, now), "step \(step)")
        }
    }

    @Test func `P-3.12 IPv4 counts by address, IPv6 by the network of 64 bits`() throws {
        let limiter = Limiter()
        let rows: [(used: String, same: String?, other: String)] = [
            ("192.0.2.1", nil, "192.0.2.2"),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
            // The low half of an IPv6 network is no IPv4 address.
            ("::", "::192.0.2.9", "192.0.2.9"),
        ]
        for row in rows {
            for _ in 0..<5 { #expect(limiter.admits(try Self.address(row.used), Self.start)) }
            if let same = row.same { #expect(!limiter.admits(try Self.address(same), Self.start)) }
            #expect(limiter.admits(try Self.address(row.other), Self.start))
        }
    }

    @Test func `P-3.12 the number of buckets is bounded: new ones are refused until old ones are idle`() {
        let limiter = Limiter(bound: 3)
        for host in 1...3 { #expect(limiter.admits(IPAddress(v4: UInt32(host)), Self.start)) }
        #expect(!limiter.admits(IPAddress(v4: 4), Self.at(900)))
        #expect(limiter.admits(IPAddress(v4: 1), Self.at(900)), "who has one keeps it")
        #expect(limiter.admits(IPAddress(v4: 4), Self.at(1000)))
        #expect(limiter.count == 2, "what was idle for a second is gone, what was used is not")
        #expect(Limits.countedSources == 65_536)
    }

    @Test func `P-2.9 initiations that two threads look at pass once`() {
        let remote = RemotePeer(Pair.privateKey(Pair.aliceKey).publicKey, presharedKey: PresharedKey())
        let stamp = TAI64N(WallTime(seconds: 1, nanoseconds: 0))
        #expect(remote.admit(stamp, Self.at(0)) == nil)
        #expect(remote.admit(stamp, Self.at(100)) == .replayedInitiation)
        #expect(remote.admit(stamp.after(stamp), Self.at(19)) == .tooManyInitiations)
        #expect(remote.admit(stamp.after(stamp), Self.at(20)) == nil)
    }
}
