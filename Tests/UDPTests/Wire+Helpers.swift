import Glibc
import Linux
import Pipeline
import Testing
import Wire

@testable import UDP

/// What a test sends and looks at: a packet without its buffer.
struct Datagrams: Equatable {
    var bytes: [UInt8]
    /// 0: a single datagram.
    var size = 0

    /// The run cut up.
    var each: [[UInt8]] {
        guard size > 0 else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    /// `count` bytes that differ from place to place and from `seed` to `seed`.
    static func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 31) ^ ($0 >> 8) &+ seed) }
    }
}

/// One packet as it came in.
struct Arrival {
    let datagrams: Datagrams
    let path: Path
    let trafficClass: UInt8
}

extension UDPPort {
    /// Sends packets in one batch; what the batch has to tell comes back.
    @discardableResult
    func send(_ packets: [(Datagrams, Path)], trafficClass: UInt8 = 0, pool: BufferPool = BufferPool()) -> [Notice] {
        var batch = PacketBatch(pool: pool)
        batch.now = Clocks.now()
        for (index, (datagrams, path)) in packets.enumerated() {
            let buffer = pool.take(Buffer.size(for: datagrams.bytes.count))
            unsafe datagrams.bytes.withUnsafeBytes {
                if let start = $0.baseAddress { unsafe buffer.start.copyMemory(from: start, byteCount: $0.count) }
            }
            var packet = Packet(buffer, count: datagrams.bytes.count)
            packet.datagramSize = datagrams.size
            packet.path = path
            packet.peer = PeerID(index)
            packet.trafficClass = trafficClass
            batch.append(packet)
        }
        send(&batch)
        #expect(batch.count == 0)
        return batch.notices
    }

    /// What is there now, in one receive.
    func receiveNow(pool: BufferPool = BufferPool()) -> [Arrival] {
        var batch = PacketBatch(pool: pool)
        receive(into: &batch)
        var arrivals: [Arrival] = []
        var wirePackets = 0
        for index in 0..<batch.count {
            wirePackets += batch[index].wirePackets
            let bytes = unsafe Array(UnsafeRawBufferPointer(batch[index].contents))
            guard let path = batch[index].path else {
                Issue.record("a packet without a path")
                continue
            }
            arrivals.append(
                Arrival(
                    datagrams: Datagrams(bytes: bytes, size: batch[index].datagramSize), path: path,
                    trafficClass: batch[index].trafficClass))
        }
        #expect(wirePackets <= PacketBatch.capacity)
        batch.removeAll()
        return arrivals
    }

    /// What comes until `count` datagrams are there, or five seconds have gone.
    func receive(datagrams count: Int) throws -> [Arrival] {
        var epoll = try Epoll()
        for descriptor in descriptors { try epoll.add(descriptor, token: 0) }
        var arrivals: [Arrival] = []
        let deadline = Clocks.now() + .seconds(5)
        while arrivals.reduce(0, { $0 + $1.datagrams.each.count }) < count {
            if try epoll.wait(until: deadline, now: Clocks.now()) == 0, Clocks.now() >= deadline { break }
            arrivals += receiveNow()
        }
        return arrivals
    }

    func counter(_ name: String) -> UInt64? {
        (report.counters + report.drops).first { $0.name == name }?.value
    }

    /// Every drop that is not 0.
    var dropped: [String: UInt64] {
        report.drops.reduce(into: [:]) { if $1.value != 0 { $0[$1.name] = $1.value } }
    }
}

extension Path {
    /// To a numeric address, from one of ours where it matters.
    static func to(_ address: String, _ port: UInt16, from local: String? = nil, interface: UInt32 = 0) -> Path {
        Path(
            remote: Endpoint(address: .literal(address), port: port),
            local: local.map { LocalAddress(address: .literal($0), interface: interface) })
    }
}

extension IPAddress {
    static func literal(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
        return address
    }
}
