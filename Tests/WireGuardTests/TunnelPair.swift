import WireGuard

// Public declarations only, here and in the other files about `Tunnel`: what a program outside this package sees.

/// Two tunnels that are each other's peers, and a network without delay between them, in virtual time.
final class TunnelPair {
    enum Side: CaseIterable { case alice, bob }

    struct Datagram {
        var at: Tunnel.Instant
        var from: Side
        var bytes: [UInt8]
        var isInitiation: Bool { bytes.first == 1 }
        var isData: Bool { bytes.first == 4 }
    }

    let alice: Tunnel
    let bob: Tunnel
    let toBob: Tunnel.PeerHandle
    let toAlice: Tunnel.PeerHandle
    var aliceAddress = TunnelPair.endpoint(1)
    var bobAddress = TunnelPair.endpoint(2)
    var now = TunnelPair.start

    /// What goes over the network, whether it arrives or not.
    private(set) var log: [Datagram] = []
    /// What the network may do to a datagram: nil loses it.
    var passage: (Datagram) -> [UInt8]? = { $0.bytes }
    private(set) var delivered: [Side: [[UInt8]]] = [:]
    private(set) var events: [Side: [Tunnel.Event]] = [:]

    static let start = Tunnel.Instant(nanoseconds: 77_000_000_000)
    static let date = Tunnel.WallTime(seconds: 1_700_000_000)

    /// Alice knows where Bob is; Bob learns it from her.
    init(
        alicePresharedKey: borrowing Tunnel.PresharedKey = .absent,
        bobPresharedKey: borrowing Tunnel.PresharedKey = .absent,
        bobKnows key: Tunnel.PublicKey? = nil, keepalive: Duration = .zero, mtu: UInt16 = 1420
    ) throws {
        let aliceKey = Tunnel.PrivateKey.generate()
        let bobKey = Tunnel.PrivateKey.generate()
        let (alicePublic, bobPublic) = (aliceKey.publicKey, bobKey.publicKey)
        func configuration(_ seed: UInt64) -> Tunnel.Configuration {
            Tunnel.Configuration(mtu: mtu, randomness: .predictableForTests(seed: seed))
        }
        alice = Tunnel(privateKey: aliceKey, configuration: configuration(1), wallTime: Self.date, at: Self.start)
        bob = Tunnel(privateKey: bobKey, configuration: configuration(2), wallTime: Self.date, at: Self.start)
        toAlice = try bob.addPeer(publicKey: key ?? alicePublic, presharedKey: bobPresharedKey, at: Self.start)
        toBob = try alice.addPeer(
            publicKey: bobPublic, presharedKey: alicePresharedKey, endpoint: Self.endpoint(2),
            persistentKeepalive: keepalive, at: Self.start)
        settle()
    }

    static func endpoint(_ host: UInt8, port: UInt16 = 51_820) -> Tunnel.Endpoint {
        let address: [UInt8] = [192, 0, 2, host]
        guard let endpoint = Tunnel.Endpoint(address: address.span, port: port) else {
            preconditionFailure("four bytes are an address")
        }
        return endpoint
    }

    /// An IPv4 packet of `count` ≥ 24 bytes that tells its number.
    static func packet(_ number: Int, count: Int = 60) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count)
        bytes[0] = 0x45
        bytes[2] = UInt8(count >> 8)
        bytes[3] = UInt8(count & 0xff)
        for position in 0..<4 { bytes[20 + position] = UInt8(truncatingIfNeeded: number >> (8 * position)) }
        return bytes
    }

    static func number(_ packet: [UInt8]) -> Int {
        Int(Int32(truncatingIfNeeded: (0..<4).reduce(0) { $0 | Int(packet[20 + $1]) << (8 * $1) }))
    }

    /// A session that Alice began.
    func connect() throws {
        try alice.send(Self.packet(0), to: toBob, at: now)
        settle()
        delivered = [:]
    }

    /// Carries everything to its end, at this moment.
    func settle() {
        var moved = true
        while moved {
            moved = false
            for side in Side.allCases {
                let tunnel = side == .alice ? alice : bob
                while let output = tunnel.nextOutput() {
                    moved = true
                    take(output, side)
                }
            }
        }
    }

    private func take(_ output: Tunnel.Output, _ side: Side) {
        switch output {
        case .send(let bytes, to: let destination):
            let datagram = Datagram(at: now, from: side, bytes: bytes)
            log.append(datagram)
            guard let bytes = passage(datagram) else { return }
            if side == .alice, destination == bobAddress { bob.receive(bytes, from: aliceAddress, at: now) }
            if side == .bob, destination == aliceAddress { alice.receive(bytes, from: bobAddress, at: now) }
        case .deliver(let packet, from: _): delivered[side, default: []].append(packet)
        case .event(let event, of: _): events[side, default: []].append(event)
        }
    }

    /// Runs everything that is due until that much later, and `body` once a second, beginning at once.
    func run(for duration: Duration, eachSecond body: (Int) throws -> Void = { _ in }) throws {
        let end = now.advanced(by: duration)
        var second = 0
        var tick = now
        while now < end {
            let deadlines = [alice.nextDeadline, bob.nextDeadline, tick, end].compactMap(\.self)
            now = max(now, deadlines.min() ?? end)
            alice.advance(to: now)
            bob.advance(to: now)
            settle()
            if now >= tick, now < end {
                try body(second)
                settle()
                second += 1
                tick = tick.advanced(by: .seconds(1))
            }
        }
    }
}
