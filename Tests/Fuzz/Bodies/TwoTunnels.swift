import WireGuard

/// Alice and Bob, always with the same keys and the same randomness, so that an input does the same each time.
final class TwoTunnels {
    enum Side: Int, CaseIterable {
        case alice, bob
        var other: Side { self == .alice ? .bob : .alice }
    }

    let tunnels: [Tunnel]
    /// What each calls the other.
    let peers: [Tunnel.PeerHandle]
    var now = TwoTunnels.start
    private static let start = Tunnel.Instant(nanoseconds: 1_000_000_000_000)

    init() {
        let start = Self.start
        func key(_ byte: UInt8) -> Tunnel.PrivateKey {
            guard let key = Tunnel.PrivateKey([UInt8](repeating: byte, count: 32).span) else { fatalError("32 bytes") }
            return key
        }
        var tunnels: [Tunnel] = []
        for (byte, seed) in [(UInt8(0xa1), UInt64(1)), (0xb0, 2)] {
            tunnels.append(
                Tunnel(
                    privateKey: key(byte), configuration: .init(randomness: .predictableForTests(seed: seed)),
                    wallTime: .init(seconds: 1_700_000_000), at: start))
        }
        let made = tunnels
        peers = Side.allCases.map { side in
            let other = made[side.other.rawValue].publicKey
            let address = Self.endpoint(side.other)
            guard let peer = try? made[side.rawValue].addPeer(publicKey: other, endpoint: address, at: start) else {
                fatalError("a new peer is taken")
            }
            return peer
        }
        self.tunnels = made
    }

    static func endpoint(_ side: Side, port: UInt16 = 51_820) -> Tunnel.Endpoint {
        let address: [UInt8] = [192, 0, 2, UInt8(side.rawValue) + 1]
        guard let endpoint = Tunnel.Endpoint(address: address.span, port: port) else { fatalError("four bytes") }
        return endpoint
    }

    subscript(side: Side) -> Tunnel { tunnels[side.rawValue] }

    /// What one has to say and to deliver.
    func take(_ side: Side) -> (sent: [[UInt8]], delivered: [[UInt8]]) {
        var result: (sent: [[UInt8]], delivered: [[UInt8]]) = ([], [])
        while let output = self[side].nextOutput() {
            switch output {
            case .send(let bytes, to: _): result.sent.append(bytes)
            case .deliver(let packet, from: _): result.delivered.append(packet)
            case .event: break
            }
        }
        return result
    }

    func send(_ packet: [UInt8], from side: Side) {
        _ = try? self[side].send(packet, to: peers[side.rawValue], at: now)
    }

    /// An IPv4 packet that tells its number.
    static func packet(_ number: UInt32, count: Int = 40) -> [UInt8] {
        var packet = [UInt8](repeating: 0, count: max(24, count))
        packet[0] = 0x45
        packet[2] = UInt8(packet.count >> 8)
        packet[3] = UInt8(packet.count & 0xff)
        for place in 0..<4 { packet[20 + place] = UInt8(truncatingIfNeeded: number >> UInt32(8 * place)) }
        return packet
    }
}
