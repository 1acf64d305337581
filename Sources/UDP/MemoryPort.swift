import Pipeline
import Wire

/// A host on a network in memory: its addresses, and one UDP port that its workers share.
package final class MemoryHost {
    /// May change while it runs: a host that roams, a source that is gone. The first of a family is the source of what
    /// names none.
    package var addresses: [IPAddress]
    package let port: UInt16
    /// One for each worker.
    package private(set) var ports: [MemoryPort] = []
    /// Which worker gets what a sender sends, as SO_REUSEPORT does it: by a hash of the sender unless a test says.
    package lazy var steer: (Endpoint) -> Int = { [count = ports.count] in Self.hash($0) % count }

    init(addresses: [IPAddress], port: UInt16, workers: Int, network: MemoryNetwork) {
        precondition(workers > 0)
        self.addresses = addresses
        self.port = port
        ports = (0..<workers).map { _ in MemoryPort(host: self, network: network) }
    }

    /// For whoever works off the workers' path.
    package var replies: any ReplySender { MemoryReplySender(ports[0]) }

    func has(_ endpoint: Endpoint) -> Bool { endpoint.port == port && addresses.contains(endpoint.address) }

    func deliver(_ datagram: MemoryDatagram) { ports[steer(datagram.source)].deliver(datagram) }

    func source(for family: IPAddress.Family) -> IPAddress? { addresses.first { $0.family == family } }

    /// The same in every run, as Swift's own hash is not.
    private static func hash(_ endpoint: Endpoint) -> Int {
        let address = SplitMix64.mix(endpoint.address.high) ^ endpoint.address.low
        return Int(SplitMix64.mix(address ^ UInt64(endpoint.port) << 32) >> 1)
    }
}

/// A worker's end on a network in memory: what arrives is coalesced into runs, as UDP_GRO does it.
package final class MemoryPort: UDPPort {
    /// The most datagrams that wait to be received; what comes then is dropped, as at a full socket.
    package static let queueBound = 16384

    /// Whether equal datagrams of one sender are received as runs.
    package var coalescing = true

    private unowned let host: MemoryHost
    private unowned let network: MemoryNetwork
    private var queue: [MemoryDatagram] = []
    private var counters = UDPCounters()

    init(host: MemoryHost, network: MemoryNetwork) {
        self.host = host
        self.network = network
    }

    package var descriptors: [CInt] { [] }
    package var report: StageReport { counters.report }
    /// Whether there is something to receive: what epoll would tell.
    package var isReadable: Bool { !queue.isEmpty }

    func deliver(_ datagram: MemoryDatagram) {
        guard queue.count < Self.queueBound else {
            counters.drops.count(.receiveQueueFull)
            return
        }
        queue.append(datagram)
    }

    // MARK: Receiving

    package func receive(into batch: inout PacketBatch) {
        var room = PacketBatch.capacity
        for index in 0..<batch.count { room -= batch[index].wirePackets }
        var next = 0
        while next < queue.count {
            let end = endOfRun(from: next)
            guard end - next <= room else { break }
            room -= end - next
            append(queue[next..<end], to: &batch)
            next = end
        }
        queue.removeFirst(next)
    }

    /// Where the run that starts at `start` ends: datagrams of one sender to one address with one mark, each as long
    /// as the first, but for the last, which may be shorter.
    private func endOfRun(from start: Int) -> Int {
        let first = queue[start]
        var end = start + 1
        guard coalescing, !first.bytes.isEmpty else { return end }
        var bytes = first.bytes.count
        while end < queue.count, end - start < UDPLimits.runDatagrams {
            let next = queue[end]
            guard next.source == first.source, next.destination == first.destination,
                next.trafficClass == first.trafficClass, !next.bytes.isEmpty, next.bytes.count <= first.bytes.count,
                bytes + next.bytes.count <= UDPLimits.runBytes
            else { break }
            bytes += next.bytes.count
            end += 1
            if next.bytes.count < first.bytes.count { break }
        }
        return end
    }

    private func append(_ run: ArraySlice<MemoryDatagram>, to batch: inout PacketBatch) {
        guard let first = run.first else { return }
        let buffer = batch.pool.take(.large)
        var count = 0
        for datagram in run {
            unsafe datagram.bytes.withUnsafeBytes {
                if let start = $0.baseAddress {
                    unsafe (buffer.start + count).copyMemory(from: start, byteCount: $0.count)
                }
            }
            count += datagram.bytes.count
        }
        var packet = Packet(buffer, count: count)
        packet.datagramSize = run.count > 1 ? first.bytes.count : 0
        packet.path = Path(
            remote: first.source, local: LocalAddress(address: first.destination.address, interface: 0))
        packet.trafficClass = first.trafficClass
        counters.countIn(packet)
        batch.append(packet)
    }

    // MARK: Sending

    package func send(_ batch: inout PacketBatch) {
        for index in 0..<batch.count {
            guard let path = batch[index].path else {
                counters.drops.count(.noEndpoint, batch[index].wirePackets)
                continue
            }
            guard let source = source(for: path, batch[index].peer, &batch.notices) else {
                counters.drops.count(.unreachable, batch[index].wirePackets)
                continue
            }
            send(batch[index], from: source, to: path.remote)
        }
        batch.removeAll()
    }

    /// A single datagram that is no worker's; false when there is no source for it.
    func reply(_ bytes: UnsafeRawBufferPointer, by path: Path) -> Bool {
        var notices: [Notice] = []
        guard let source = source(for: path, .none, &notices) else { return false }
        network.send(
            MemoryDatagram(
                source: source, destination: path.remote, bytes: unsafe [UInt8](bytes), trafficClass: 0))
        return true
    }

    private func source(for path: Path, _ peer: PeerID, _ notices: inout [Notice]) -> Endpoint? {
        if let local = path.local {
            if host.addresses.contains(local.address) { return Endpoint(address: local.address, port: host.port) }
        }
        guard let address = host.source(for: path.remote.address.family) else { return nil }
        if path.local != nil {
            counters.sourceFallbacks &+= 1
            notices.appendSourceGone(peer)
        }
        return Endpoint(address: address, port: host.port)
    }

    private func send(_ packet: borrowing Packet, from source: Endpoint, to destination: Endpoint) {
        let size = packet.datagramSize > 0 ? packet.datagramSize : max(1, packet.count)
        var offset = 0
        repeat {
            let count = min(size, packet.count - offset)
            guard count <= UDPLimits.runBytes else {
                counters.drops.count(.tooLarge)
                return
            }
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: packet.bytes + offset, count: count))
            counters.countOut(datagrams: 1, bytes: count)
            network.send(
                MemoryDatagram(
                    source: source, destination: destination, bytes: bytes, trafficClass: packet.trafficClass))
            offset += size
        } while offset < packet.count
    }
}

/// Through a port in memory.
private final class MemoryReplySender: ReplySender, @unchecked Sendable {  // Sendable: its network has one thread
    private let port: MemoryPort

    init(_ port: MemoryPort) { self.port = port }

    func send(_ bytes: UnsafeRawBufferPointer, by path: Path) -> Bool { unsafe port.reply(bytes, by: path) }
}
