import Crypto
import Pipeline
import UDP
import Wire

@testable import WireGuard

/// A peer that can do what no router does: it has real sessions, and seals into them whatever a test gives it.
final class EnginePeer {
    let host: MemoryHost
    let remote: Endpoint
    private let engine: Engine
    private let pool = BufferPool()
    private let other = PeerID(0)
    private var batch: PacketBatch

    /// The plaintexts that came in, keepalives left out, and how many of those.
    private(set) var received: [[UInt8]] = []
    private(set) var keepalives = 0
    /// Every datagram that came in, as it was.
    private(set) var datagrams: [[UInt8]] = []
    /// The traffic class that each of them came with.
    private(set) var trafficClasses: [UInt8] = []
    /// What its own datagrams leave with.
    var trafficClass: UInt8 = 0

    /// `name`, who knows `router` at `remote`.
    init(
        _ world: World, _ name: String, at addresses: [String], port: UInt16 = 51820, to router: String,
        remote: String, seed: UInt64 = 77
    ) throws {
        let entropy = Entropy.predictableForTests(seed: seed)
        let clock = world.clock
        guard let remote = Endpoint(remote) else { throw WorldError.noKey(router) }
        self.remote = remote
        host = world.network.attach(addresses: addresses.compactMap { IPAddress($0) }, port: port)
        engine = Engine(
            Identity(World.privateKey(name)),
            Engine.Environment(
                entropy: entropy, wallTime: { clock.wall }, indices: IndexSpace(workers: 1, entropy: entropy)),
            now: world.now)
        batch = PacketBatch(pool: pool)
        engine.add(PeerConfiguration(id: other, publicKey: World.publicKey(router), endpoint: remote), world.now)
        world.attach(self)
    }

    /// A session that this side began, after a second of the world's time.
    func connect(_ world: World) {
        begin(world)
        world.run()
    }

    /// Sends an initiation, which is retransmitted as the world's time goes on.
    func begin(_ world: World) {
        engine.wantHandshake(peer, world.now)
        engine.schedule(peer)
        settle(world.now)
    }

    private var peer: Peer {
        guard let peer = engine.peer(other) else { preconditionFailure("the peer is there from the start") }
        return peer
    }

    var receiverIndex: UInt32? { peer.keypairs.current?.remoteIndex }

    // MARK: Sending

    /// The data message that carries `plaintext`, as it is and without padding.
    func sealed(_ plaintext: [UInt8], _ now: Instant) -> [UInt8] {
        guard let current = peer.keypairs.current, let counter = current.takeCounters(1, now) else { return [] }
        let source = Buffer(.large)
        let destination = Buffer(.large)
        unsafe plaintext.withUnsafeBytes {
            if let start = $0.baseAddress { unsafe source.start.copyMemory(from: start, byteCount: $0.count) }
        }
        unsafe current.seal(counter, source.start, plaintext.count, to: destination.start)
        return unsafe [UInt8](
            UnsafeRawBufferPointer(start: destination.start, count: plaintext.count + DataMessage.overhead))
    }

    func send(_ plaintext: [UInt8], _ now: Instant) { sendDatagrams([sealed(plaintext, now)], now) }

    /// Puts datagrams on the wire as they are.
    func sendDatagrams(_ messages: [[UInt8]], _ now: Instant, to destination: Endpoint? = nil) {
        var out = PacketBatch(pool: pool)
        out.now = now
        for message in messages {
            let buffer = pool.take(.large)
            unsafe message.withUnsafeBytes {
                if let start = $0.baseAddress { unsafe buffer.start.copyMemory(from: start, byteCount: $0.count) }
            }
            var packet = Packet(buffer, count: message.count)
            packet.path = Path(remote: destination ?? remote)
            packet.trafficClass = trafficClass
            out.append(packet)
            if out.isFull { host.ports[0].send(&out) }
        }
        host.ports[0].send(&out)
    }

    /// An initiation that was never sent.
    func initiation(_ now: Instant) -> [UInt8] {
        peer.lastHandshakeSent = nil
        engine.wantHandshake(peer, now)
        for case .compute(let task) in engine.outbox.take() { engine.finish(task.run(), now) }
        for case .send(let message) in engine.outbox.take() { return Self.bytes(of: message) }
        return []
    }

    private static func bytes(of message: Outgoing) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: message.count) { buffer, count in
            if let start = buffer.baseAddress { unsafe message.copy(to: start) }
            count = message.count
        }
    }

    // MARK: Turns

    var nextDeadline: Instant { engine.nextDeadline }

    func turn(_ now: Instant) -> Bool {
        guard host.ports[0].isReadable || engine.nextDeadline <= now else { return false }
        host.ports[0].receive(into: &batch)
        for index in 0..<batch.count { take(batch[index], now) }
        batch.removeAll()
        if engine.nextDeadline <= now { engine.expire(now) }
        settle(now)
        return true
    }

    private func take(_ run: borrowing Packet, _ now: Instant) {
        guard let path = run.path else { return }
        let size = run.datagramSize > 0 ? run.datagramSize : max(1, run.count)
        for offset in stride(from: 0, to: run.count, by: size) {
            let count = min(size, run.count - offset)
            let message = unsafe UnsafeRawPointer(run.bytes + offset)
            datagrams.append(unsafe [UInt8](UnsafeRawBufferPointer(start: message, count: count)))
            trafficClasses.append(run.trafficClass)
            unsafe take(message, count, path, now)
        }
    }

    private func take(_ message: UnsafeRawPointer, _ count: Int, _ path: Path, _ now: Instant) {
        guard let type = unsafe MessageType(at: message, count: count) else { return }
        if type == .data {
            unsafe open(message, count, path, now)
        } else {
            _ = unsafe engine.receive(message, type, from: path, now)
        }
    }

    private func open(_ message: UnsafeRawPointer, _ count: Int, _ path: Path, _ now: Instant) {
        guard let keypair = engine.keypair(unsafe DataMessage.receiverIndex(at: message, type: .data)) else { return }
        let plain = Buffer(.large)
        guard unsafe keypair.open(message, count, to: plain.start, now) == nil else { return }
        let length = count - DataMessage.overhead
        engine.received(on: keypair, from: path, bytes: count, packets: length > 0 ? 1 : 0, now)
        if length > 0 {
            received.append(unsafe [UInt8](UnsafeRawBufferPointer(start: plain.start, count: length)))
        } else {
            keepalives += 1
        }
    }

    /// Does what the engine wants done.
    private func settle(_ now: Instant) {
        while !engine.outbox.isEmpty {
            for action in engine.outbox.take() {
                switch action {
                case .send(let message): sendDatagrams([Self.bytes(of: message)], now, to: message.path.remote)
                case .compute(let task): engine.finish(task.run(), now)
                case .release(_, orConfirm: true): engine.sendKeepalive(to: other, now)
                case .release, .purge, .note: break
                }
            }
        }
    }
}
