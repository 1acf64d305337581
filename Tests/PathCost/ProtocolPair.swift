import Crypto
import PacketPath
import Pipeline
import StageTestKit
import Wire

/// The protocol by itself: the `wireguard` stages of two routers that have a session, batch by batch, without ends.
struct ProtocolPair: ~Copyable {
    static let packetsABatch = 64
    /// What a packet has besides its payload: IPv4's and UDP's header.
    static let headers = 28

    private let routers: RouterPair
    private let (left, right): (WireGuardStage, WireGuardStage)
    private let pool: BufferPool
    private let packet: TestPacket
    private let path: Path
    private var batch: PacketBatch

    /// Of IP packets of `bytes`.
    init(_ aead: AEAD, bytes: Int) throws {
        routers = try RouterPair.connected(aead: aead)
        (left, right) = (routers.left.worker.wireGuard, routers.right.worker.wireGuard)
        pool = routers.pool
        packet = TestPacket.udp(from: "10.0.0.1", to: "10.0.0.2", payload: bytes - Self.headers)
        guard let address = IPAddress("192.0.2.1") else { fatalError("192.0.2.1 is an address") }
        path = Path(remote: Endpoint(address: address, port: 51820))
        batch = PacketBatch(pool: pool)
        batch.now = routers.now
    }

    /// Fills the batch: what the packets come from, which is no part of the protocol.
    mutating func fill() {
        for _ in 0..<Self.packetsABatch { batch.append(packet.packet(pool, peer: PeerID(0))) }
    }

    mutating func seal() { left.outbound(&batch) }

    /// How many packets came out.
    mutating func open() -> Int {
        for index in 0..<batch.count { batch[index].path = path }
        right.inbound(&batch)
        return batch.count
    }

    mutating func empty() { batch.removeAll() }
}
