import Crypto
import Wire

@testable import WireGuard

/// Alice and Bob, who are each other's peers, and the link between them.
struct Pair {
    struct Side {
        var knowsEndpoint = true
        var keepalive = Interval.seconds(0)
        /// 32 bytes; nil for none.
        var presharedKey: [UInt8]?
        var workers = 1
    }

    let link: Link
    let alice: Node
    let bob: Node
    /// What Alice calls Bob, and Bob Alice.
    let toBob = PeerID(1)
    let toAlice = PeerID(2)

    static let aliceKey = [UInt8](repeating: 0xa1, count: 32)
    static let bobKey = [UInt8](repeating: 0xb0, count: 32)
    static let aliceEndpoint = endpoint(1)
    static let bobEndpoint = endpoint(2)

    init(seed: UInt64 = 1, alice: Side = Side(), bob: Side = Side()) {
        link = Link(seed: seed)
        self.alice = Self.node(Self.aliceKey, Self.aliceEndpoint, seed: 2 * seed, link)
        self.bob = Self.node(Self.bobKey, Self.bobEndpoint, seed: 2 * seed + 1, link)
        link.attach(self.alice)
        link.attach(self.bob)
        Self.introduce(self.alice, toBob, Self.bobKey, Self.bobEndpoint, alice, link.now)
        Self.introduce(self.bob, toAlice, Self.aliceKey, Self.aliceEndpoint, bob, link.now)
    }

    static func endpoint(_ port: UInt16, host: UInt8 = 1) -> Endpoint {
        Endpoint(address: IPAddress(v4: 0xc000_0200 + UInt32(host)), port: port)
    }

    static func node(_ key: [UInt8], _ endpoint: Endpoint, seed: UInt64, _ link: Link) -> Node {
        let entropy = Entropy.predictableForTests(seed: seed)
        let clock = link.clock
        let engine = Engine(
            Identity(privateKey(key)),
            Engine.Environment(
                entropy: entropy, wallTime: { clock.wall }, indices: IndexSpace(workers: 1, entropy: entropy)),
            now: link.now)
        return Node(engine, at: endpoint)
    }

    static func introduce(
        _ node: Node, _ id: PeerID, _ key: [UInt8], _ endpoint: Endpoint, _ side: Side, _ now: Instant
    ) {
        let preshared = presharedKey(side.presharedKey)
        node.engine.add(
            PeerConfiguration(
                id: id, publicKey: privateKey(key).publicKey, presharedKey: preshared,
                endpoint: side.knowsEndpoint ? endpoint : nil, persistentKeepalive: side.keepalive),
            now)
        node.settle(now)
    }

    static func secret(_ bytes: [UInt8]) -> Secret {
        var secret = Secret()
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe secret.mutableBytes.copyMemory(from: bytes.baseAddress.unsafelyUnwrapped, byteCount: 32)
        }
        return secret
    }

    static func presharedKey(_ bytes: [UInt8]?) -> PresharedKey {
        if let bytes { PresharedKey(secret(bytes)) } else { PresharedKey() }
    }

    static func privateKey(_ bytes: [UInt8]) -> PrivateKey { PrivateKey(clamping: secret(bytes)) }

    // MARK: What tests do and ask

    func aliceSends(_ bytes: [UInt8]) { alice.send(bytes, to: toBob, link.now) }
    func bobSends(_ bytes: [UInt8]) { bob.send(bytes, to: toAlice, link.now) }

    /// A session that Alice began, confirmed and quiet, all within a second.
    func connect() {
        aliceSends(Pair.packet(0))
        link.run(.seconds(1))
    }

    /// 48 bytes that tell their number.
    static func packet(_ number: Int, count: Int = 48) -> [UInt8] {
        var bytes = [UInt8](repeating: 0x45, count: count)
        for position in 0..<8 { bytes[8 + position] = UInt8(truncatingIfNeeded: number >> (8 * position)) }
        return bytes
    }

    /// What `node` sent since `moment`, of one type.
    func sightings(from node: Node, _ type: MessageType? = nil, since moment: Instant = Instant(nanoseconds: 0))
        -> [Link.Sighting]
    {
        link.log.filter {
            $0.at >= moment && $0.datagram.source.port == node.endpoint.port
                && (type == nil || $0.datagram.type == type)
        }
    }

    var aliceView: Peer { peer(alice, toBob) }
    var bobView: Peer { peer(bob, toAlice) }

    private func peer(_ node: Node, _ id: PeerID) -> Peer {
        guard let peer = node.engine.peer(id) else { preconditionFailure("the pair knows each other") }
        return peer
    }
}
