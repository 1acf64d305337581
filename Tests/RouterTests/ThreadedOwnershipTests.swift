import CLinux
import Configuration
import Crypto
import Glibc
import Linux
import Locking
import PacketPath
import Pipeline
import Router
import Support
import Synchronization
import TUN
import Testing
import UDP
import Wire
import WireGuard

/// The same on real threads: a hub of three workers and three routers of two, whose ends give everything to a worker
/// that does not own it, each worker on a thread of its own.
@Suite struct ThreadedOwnershipTests {
    private static let names = ["b", "c", "d"]
    /// Packets of a flow that may be under way.
    private static let window = 100
    #if THREAD_SANITIZER
        /// Fewer and longer: each step of thirteen threads costs some fifty times as much.
        private static let (packets, patience) = (200, Interval.seconds(240))
    #else
        private static let (packets, patience) = (2000, Interval.seconds(120))
    #endif

    /// P-4.12.
    @Test(.timeLimit(.minutes(5))) func threadsLoseAndReorderNothing() throws {
        let world = try World(["a"] + Self.names)
        let wire = LockedWire()
        let peers = Self.names.enumerated().map { index, name in
            """
                  \(name):
                    public-key: "<\(name)>"
                    endpoint: 192.0.2.\(index + 2):51820
                    allowed-ips: [10.0.0.\(index + 2)/32]
            """
        }
        let hub = try ThreadedRouter(
            world, wire, "192.0.2.1", GoldenPathTests.file("a", workers: 3, peers: peers.joined(separator: "\n")))
        let spokes = try Self.names.enumerated().map { index, name in
            try ThreadedRouter(
                world, wire, "192.0.2.\(index + 2)",
                GoldenPathTests.file(
                    name, workers: 2,
                    peers: """
                              nobody: { public-key: "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=" }
                              a:
                                public-key: "<a>"
                                allowed-ips: [10.0.0.1/32]
                        """))
        }
        let threads = Threads(([hub] + spokes).flatMap(\.workers), ([hub] + spokes).map(\.handshakes))
        defer { threads.stop() }

        // Six flows, each through one queue, as the kernel has it, and that of a worker that is not the owner.
        let flows = spokes.indices.flatMap { spoke -> [Flow] in
            let address = UInt8(spoke + 2)
            return [
                Flow(from: hub.tuns[(spoke + 1) % 3], to: spokes[spoke].tuns, 1, address),
                Flow(from: spokes[spoke].tuns[0], to: hub.tuns, address, 1),
            ]
        }
        var random = SeededGenerator(seed: 3)
        // The hub begins; what it has to say first opens the sessions.
        let deadline = Clocks.now() + Self.patience
        while flows.contains(where: { $0.delivered.count < Self.packets }), Clocks.now() < deadline {
            for (index, flow) in flows.enumerated() {
                flow.collect()
                if index % 2 == 1, flows[index - 1].delivered.isEmpty { continue }
                let bound = flows[index - 1 + (index + 1) % 2].delivered.isEmpty ? 1 : Self.window
                let burst = Int.random(in: 0..<20, using: &random)
                for _ in 0..<burst where flow.sent - flow.delivered.count < bound && flow.sent < Self.packets {
                    flow.sendNext()
                }
            }
            usleep(100)
        }
        threads.stop()
        for flow in flows { #expect(flow.delivered == Array(0..<Self.packets)) }
        for router in [hub] + spokes {
            for worker in router.workers {
                let handed = worker.reports.first { $0.stage == "workers" }?.report.counters[0].value ?? 0
                #expect(handed > 0 || router !== hub)
                for (stage, report) in worker.reports {
                    #expect(report.drops.allSatisfy { $0.value == 0 }, "\(stage): \(report.drops)")
                }
            }
        }
    }

    /// One peer on each side, whose packets all workers seal and open (P-4.12).
    @Test(.timeLimit(.minutes(5))) func threadsThatHelpReorderNothing() throws {
        let world = try World(["a", "b"])
        let wire = LockedWire()
        let routers = try ["a", "b"].enumerated().map { index, name in
            let other = index == 0 ? "b" : "a"
            return try ThreadedRouter(
                world, wire, "192.0.2.\(index + 1)",
                GoldenPathTests.file(
                    name, workers: 3,
                    peers: """
                              \(other):
                                public-key: "<\(other)>"
                                endpoint: 192.0.2.\(2 - index):51820
                                allowed-ips: [10.0.0.\(2 - index)/32]
                        """), helping: true)
        }
        let threads = Threads(routers.flatMap(\.workers), routers.map(\.handshakes))
        defer { threads.stop() }
        let flows = [
            Flow(from: routers[0].tuns[0], to: routers[1].tuns, 1, 2, payload: 1372),
            Flow(from: routers[1].tuns[0], to: routers[0].tuns, 2, 1, payload: 1372),
        ]
        let deadline = Clocks.now() + Self.patience
        while flows.contains(where: { $0.delivered.count < Self.packets }), Clocks.now() < deadline {
            for (index, flow) in flows.enumerated() {
                flow.collect()
                // One of them begins, so that there is one handshake.
                if index > 0, flows[0].delivered.isEmpty { continue }
                let bound = flow.delivered.isEmpty ? 1 : 2 * Self.window
                flow.send(min(bound - (flow.sent - flow.delivered.count), Self.packets - flow.sent))
            }
            usleep(100)
        }
        threads.stop()
        for flow in flows { #expect(flow.delivered == Array(0..<Self.packets)) }
        for router in routers {
            for worker in router.workers {
                for (stage, report) in worker.reports {
                    #expect(report.drops.allSatisfy { $0.value == 0 }, "\(stage): \(report.drops)")
                }
            }
            let helped = router.workers.reduce(UInt64(0)) { sum, worker in
                let counters = worker.reports.first { $0.stage == "wireguard" }?.report.counters ?? []
                return sum + (counters.first { $0.name == "portions-helped" }?.value ?? 0)
            }
            #expect(helped > 0)
        }
    }

    /// Numbered packets between two hosts, from one queue.
    private final class Flow {
        private let from: LockedTUN
        private let to: [LockedTUN]
        private let (source, destination): (UInt8, UInt8)
        private let payload: Int
        private(set) var sent = 0
        private(set) var delivered: [Int] = []

        init(from: LockedTUN, to: [LockedTUN], _ source: UInt8, _ destination: UInt8, payload: Int = 32) {
            self.from = from
            self.to = to
            (self.source, self.destination, self.payload) = (source, destination, payload)
        }

        func sendNext() { send(1) }

        /// All at once, as a host does that has much to send.
        func send(_ count: Int) {
            from.inject(
                (sent..<sent + count).map { Frames.packet(source, destination, mark: $0, payload: payload).bytes })
            sent += count
        }

        func collect() {
            for queue in to {
                for frame in queue.takeWritten(from: source) {
                    delivered += Frames.packets(in: frame).map { Frames.mark(of: $0, payload: payload) }
                }
            }
        }
    }
}

/// A router whose ends may be used from several threads.
private final class ThreadedRouter {
    let workers: [Worker]
    let tuns: [LockedTUN]
    let handshakes: HandshakeDesk

    /// `helping`: a worker with nothing to do seals and opens for the others.
    init(_ world: World, _ wire: LockedWire, _ address: String, _ text: String, helping: Bool = false) throws {
        let path = "\(world.folder)/router.yaml"
        let source = SourceText(file: path, bytes: Array(world.withKeys(text).utf8))
        let loaded = try ConfigurationFile.load(source, stages: StageRegistry.schemas)
        let plan = RouterPlan(loaded.configuration, cores: 1)
        let indices = IndexSpace(workers: plan.workers, entropy: .system)
        let assembly = try WorkerAssembly(
            plan, KeyFile(configuration: path, credentials: nil),
            WorkerAssembly.Environment(aead: .libsodium, entropy: .system, wallTime: Clocks.wallTime, indices: indices),
            mailboxes: (0..<plan.workers).map { _ in Mailbox() }, now: Clocks.now(),
            crew: helping ? Crew(wake: (0..<plan.workers).map { _ in {} }) : nil)
        handshakes = assembly.handshakes
        guard let endpoint = Endpoint("\(address):51820") else { throw WorldError.noKey(address) }
        let tuns = (0..<plan.workers).map { _ in LockedTUN() }
        let ports = wire.attach(endpoint, workers: plan.workers)
        let now = Clocks.now()
        self.tuns = tuns
        workers = (0..<plan.workers).map { id in
            assembly.worker(id, tun: [TUNQueue(tuns[id])], udp: [ports[id]], now: now)
        }
    }
}

/// A thread for each worker, which takes turns until it is stopped.
private final class Threads {
    private final class Owned: @unchecked Sendable {  // Sendable: only its thread touches the worker until it is joined
        let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
    }
    private final class Running {
        var thread: Thread?
        init(_ thread: consuming Thread) { self.thread = consume thread }
    }
    private final class Stop: Sendable { let asked = Atomic(false) }

    private var running: [Running] = []
    private let isStopped = Stop()

    /// Two threads for the handshakes of each router, so that they meet.
    init(_ workers: [Worker], _ desks: [HandshakeDesk]) {
        for worker in workers {
            let owned = Owned(worker)
            let crew = worker.wireGuard.crew
            start {
                owned.worker.turn(Clocks.now())
                _ = owned.worker.wireGuard.help()
                // All the time, so that whoever has much always finds somebody: they all look for work in each turn.
                _ = crew?.mayRest(owned.worker.id)
            }
        }
        for desk in desks + desks { start { _ = desk.work(Clocks.now()) } }
    }

    private func start(_ turn: @escaping @Sendable () -> Void) {
        let stop = isStopped
        do {
            running.append(
                Running(
                    try Thread(name: "turns") {
                        while !stop.asked.load(ordering: .acquiring) {
                            turn()
                            usleep(50)
                        }
                    }))
        } catch {
            Issue.record("no thread: \(error)")
        }
    }

    func stop() {
        isStopped.asked.store(true, ordering: .releasing)
        for thread in running { thread.thread.take()?.join() }
        running = []
    }
}

private final class LockedTUN: FrameDevice, Sendable {
    private struct Queues {
        var waiting: [[UInt8]] = []
        var written: [[UInt8]] = []
    }
    private let queues = Guarded(Queues())

    var descriptor: CInt? { nil }
    var offloads: TUNOffloads { .all }

    func inject(_ packets: [[UInt8]]) {
        let frames = packets.map { [UInt8](repeating: 0, count: 10) + $0 }
        queues.withLock { $0.waiting += frames }
    }

    /// What was written that comes from 10.0.0.`source`.
    func takeWritten(from source: UInt8) -> [[UInt8]] {
        queues.withLock { queues in
            let taken = queues.written.filter { $0[25] == source }
            queues.written.removeAll { $0[25] == source }
            return taken
        }
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> FrameTransfer {
        let frame = queues.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        guard let frame else { return .wouldBlock }
        unsafe memory.copyBytes(from: frame)
        return .frame(frame.count)
    }

    func write(_ pieces: UnsafeBufferPointer<iovec>) -> FrameTransfer {
        var frame: [UInt8] = []
        for index in pieces.indices {
            let (start, count) = unsafe (pieces[index].iov_base, pieces[index].iov_len)
            unsafe frame.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
        }
        let whole = frame
        queues.withLock { $0.written.append(whole) }
        return .frame(whole.count)
    }
}

/// A network of locked queues. A sender's datagrams all get to one worker, the one behind the peer's owner.
private final class LockedWire {
    private var hosts: [Endpoint: [LockedPort]] = [:]

    func attach(_ endpoint: Endpoint, workers: Int) -> [LockedPort] {
        let ports = (0..<workers).map { _ in LockedPort(self, endpoint) }
        hosts[endpoint] = ports
        return ports
    }

    /// Changed only before there are threads.
    func port(of endpoint: Endpoint, for sender: Endpoint) -> LockedPort? {
        guard let ports = hosts[endpoint] else { return nil }
        let spoke = Int(sender.address.v4Bits & 0xff) - 2
        return ports.count == 3 ? ports[(spoke + 1) % 3] : ports[0]
    }
}

private final class LockedPort: UDPPort {
    private struct Datagram: Sendable {
        let source: Endpoint
        let bytes: [UInt8]
    }
    private let wire: LockedWire
    private let endpoint: Endpoint
    private let queue = Guarded<[Datagram]>([])

    init(_ wire: LockedWire, _ endpoint: Endpoint) {
        self.wire = wire
        self.endpoint = endpoint
    }

    var descriptors: [CInt] { [] }
    var report: StageReport { StageReport() }

    func receive(into batch: inout PacketBatch) {
        let room = batch.room
        let datagrams = queue.withLock { queue in
            let some = Array(queue.prefix(room))
            queue.removeFirst(some.count)
            return some
        }
        for datagram in datagrams {
            let buffer = batch.pool.take(.large)
            unsafe datagram.bytes.withUnsafeBytes {
                if let start = $0.baseAddress { unsafe buffer.start.copyMemory(from: start, byteCount: $0.count) }
            }
            var packet = Packet(buffer, count: datagram.bytes.count)
            packet.path = Path(remote: datagram.source)
            batch.append(packet)
        }
    }

    func send(_ batch: inout PacketBatch) {
        for index in 0..<batch.count {
            guard let destination = batch[index].path?.remote, let port = wire.port(of: destination, for: endpoint)
            else { continue }
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(batch[index].contents))
            let size = batch[index].datagramSize > 0 ? batch[index].datagramSize : max(1, bytes.count)
            for offset in stride(from: 0, to: bytes.count, by: size) {
                let one = Array(bytes[offset..<min(offset + size, bytes.count)])
                let source = endpoint
                port.queue.withLock { $0.append(Datagram(source: source, bytes: one)) }
            }
        }
        batch.removeAll()
    }
}
