import Crypto
import Linux
import PacketPath
import Pipeline
import Router
import StageTestKit
import TUN
import UDP
import Wire
import WireGuard

/// A router of several workers with sessions with some peers, each of which is a router of one worker.
final class Hub {
    let center: Node
    let spokes: [Node]
    let threads: [WorkerThread]

    /// A router from its file, over ends in memory.
    final class Node {
        let workers: [Worker]
        let handshakes: HandshakeDesk
        let host: MemoryHost
        let tuns: [MemoryTUN]

        init(
            _ number: Int, workers: Int, _ key: borrowing PrivateKey, peers: [(number: Int, key: PublicKey)],
            _ network: MemoryNetwork, mailboxes: [Mailbox], crew: Crew?
        ) throws {
            let text = """
                fullbore: 1
                runtime: { workers: \(workers) }
                interfaces:
                  wg0:
                    private-key: { file: key }
                    addresses: [10.0.0.\(number)/24]
                    listen-port: 51820
                    peers:

                """
                + peers.map { peer in
                    """
                          p\(peer.number):
                            public-key: \(peer.key.base64)
                            allowed-ips: [10.0.0.\(peer.number)/32]
                            endpoint: 192.0.2.\(peer.number):51820

                    """
                }.joined()
            let assembly = try WorkerAssembly.read(
                text, key: key,
                WorkerAssembly.Environment(
                    aead: .libsodium, entropy: .system, wallTime: Clocks.wallTime,
                    indices: IndexSpace(workers: workers, entropy: .system)),
                mailboxes: mailboxes, now: network.now, crew: crew)
            host = network.attach(
                addresses: [IPAddress("192.0.2.\(number)")].compactMap { $0 }, port: 51820, workers: workers)
            handshakes = assembly.handshakes
            handshakes.setOutlet(host.replies, on: InterfaceID(0))
            let tuns = (0..<workers).map { _ in MemoryTUN() }
            self.tuns = tuns
            let host = host
            self.workers = (0..<workers).map { id in
                assembly.worker(id, tun: [TUNQueue(tuns[id])], udp: [host.ports[id]], now: network.now)
            }
        }

        /// Everything that there is to do at this moment.
        func turn(_ now: Instant) {
            _ = handshakes.work(now)
            for worker in workers { worker.turn(now) }
        }
    }

    init(workers: Int, peers: Int) throws {
        let network = MemoryNetwork(conditions: .init(delay: Interval(nanoseconds: 0)))
        // Its threads read the real clock later.
        network.advance(to: Clocks.now())
        let key = PrivateKey.generate(from: .system)
        let threads = try (0..<workers).map { _ in try WorkerThread() }
        self.threads = threads
        var spokes: [Node] = []
        var keys: [(number: Int, key: PublicKey)] = []
        for number in 2..<2 + peers {
            let own = PrivateKey.generate(from: .system)
            keys.append((number, own.publicKey))
            spokes.append(
                try Node(
                    number, workers: 1, own, peers: [(1, key.publicKey)], network, mailboxes: [Mailbox {}], crew: nil))
        }
        self.spokes = spokes
        let crew = workers > 1 ? Crew(wake: threads.map { thread in { thread.wake() } }) : nil
        center = try Node(
            1, workers: workers, key, peers: keys, network,
            mailboxes: threads.map { thread in Mailbox { thread.wake() } },
            crew: crew)
        center.host.steer = { (Int($0.address.v4Bits & 0xff) - 2) % workers }
        for (index, spoke) in spokes.enumerated() {
            center.tuns[index % workers].inject(
                TestPacket.udp(from: "10.0.0.1", to: "10.0.0.\(index + 2)", payload: 100).bytes)
            while spoke.tuns[0].written.isEmpty {
                center.turn(network.now)
                spoke.turn(network.now)
                network.advance(to: network.now)
            }
        }
    }

    /// Puts these ends in the place of those in memory.
    static func equip(_ worker: Worker, _ tun: LoadTUN, _ port: LoadPort) {
        worker.tun.replace(TUNQueue(tun), on: InterfaceID(0))
        worker.udp.replace(port, on: InterfaceID(0))
        _ = worker.tun.takeReplaced()
        _ = worker.udp.takeReplaced()
    }
}
