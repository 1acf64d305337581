import Crypto
import PacketPath
import Pipeline
import Router
import StageTestKit
import TUN
import UDP
import Wire
import WireGuard

/// A router of one interface and one worker, from its file through the assembly that real ones come from, over ends in
/// memory.
final class CountedRouter {
    private(set) var received = 0
    /// What the thread for handshakes would have taken; nil where reading the clock would only disturb.
    var computing: Stopwatch?

    let worker: Worker
    private let handshakes: HandshakeDesk
    /// Asked for after each turn, as the thread of a worker does.
    private var deadline = Instant.never
    /// Without offloads: each packet is written by itself, and can be counted.
    private let tun = MemoryTUN(offloads: TUNOffloads())
    private let host: MemoryHost
    private let packet: [UInt8]

    private static let payload = 1000

    init(
        _ number: Int, _ key: borrowing PrivateKey, peer: Int, _ peerKey: PublicKey, _ network: MemoryNetwork,
        _ pool: BufferPool, _ entropy: Entropy, _ aead: AEAD
    ) throws {
        let assembly = try WorkerAssembly.read(
            Self.file(number, peer, peerKey), key: key,
            WorkerAssembly.Environment(
                aead: aead, entropy: entropy, wallTime: { WallTime(seconds: 1_700_000_000, nanoseconds: 0) },
                indices: IndexSpace(workers: 1, entropy: entropy)),
            mailboxes: [Mailbox {}], now: network.now)
        host = network.attach(addresses: [IPAddress("192.0.2.\(number)")].compactMap { $0 }, port: 51820, workers: 1)
        handshakes = assembly.handshakes
        handshakes.setOutlet(host.replies, on: InterfaceID(0))
        worker = assembly.worker(
            0, tun: [TUNQueue(tun)], udp: [host.ports[0]], now: network.now, pool: pool)
        worker.warm()
        packet =
            TestPacket.udp(
                from: "10.0.0.\(number)", to: "10.0.0.\(peer)", payload: Self.payload
            ).bytes
    }

    /// The pipeline is not named: it is the core's alone.
    private static func file(_ number: Int, _ peer: Int, _ peerKey: PublicKey) -> String {
        """
        fullbore: 1
        interfaces:
          wg0:
            private-key: { file: key }
            addresses: [10.0.0.\(number)/24]
            listen-port: 51820
            peers:
              other:
                public-key: \(peerKey.base64)
                allowed-ips: [10.0.0.\(peer)/32]
                endpoint: 192.0.2.\(peer):51820
        """
    }

    func send(_ count: Int) {
        for _ in 0..<count { tun.inject(packet) }
    }

    /// False when there was nothing to do.
    func turn(_ now: Instant) -> Bool {
        let hasComputed = computing?.measureWork { handshakes.work(now) } ?? handshakes.work(now)
        let isWanted = hasComputed || tun.waitingCount > 0 || host.ports[0].isReadable || deadline <= now
        if isWanted {
            worker.turn(now)
            deadline = worker.nextDeadline
        }
        received += tun.takeWritten().count
        return isWanted
    }
}
