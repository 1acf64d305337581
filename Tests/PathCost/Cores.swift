import Glibc
import Linux
import PacketPath
import Pipeline
import StageTestKit
import Synchronization
import Wire

/// What several workers carry between ends in memory, on threads as a router's, by the clock.
enum Cores {
    /// A segment fills a packet of 1420 bytes, and so many a super-packet.
    private static let (segment, segments) = (1392, 46)
    /// Sealed before the clock starts, so that everybody is awake.
    private static let warmUp = 16 << 20
    /// Whoever takes longer stands still.
    private static let patience = Interval.seconds(60)

    /// What the host sends to a peer: one UDP super-packet, which owes its checksums.
    private static func frame(from source: Int, to destination: Int) -> [UInt8] {
        var packet = TestPacket.udp(
            from: "10.0.0.\(source)", to: "10.0.0.\(destination)", payload: segment * segments
        ).bytes
        var header = VirtioHeader()
        header.flags = VirtioHeader.Flag.needsChecksum
        header.segmentation = VirtioHeader.Kind.udp
        header.headerLength = UInt16(ProtocolPair.headers)
        header.segmentSize = UInt16(segment)
        (header.checksumStart, header.checksumOffset) = (20, 6)
        // The pseudo-header's sum: addresses, protocol, length.
        var sum = 17 + packet.count - 20
        for offset in stride(from: 12, to: 20, by: 2) { sum += Int(packet[offset]) << 8 | Int(packet[offset + 1]) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        (packet[26], packet[27]) = (UInt8(sum >> 8), UInt8(sum & 0xff))
        var frame = [UInt8](repeating: 0, count: VirtioHeader.length)
        unsafe frame.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { unsafe header.store(to: start) }
        }
        return frame + packet
    }

    private static func endpoint(_ number: Int) -> Endpoint {
        guard let address = IPAddress("192.0.2.\(number)") else { fatalError("an address") }
        return Endpoint(address: address, port: 51820)
    }

    /// Gbit/s of messages that `workers` seal for `peers`, whose owners they are in turn.
    static func seal(workers: Int, peers: Int, bytes: Int) throws -> Double {
        let hub = try Hub(workers: workers, peers: peers)
        let ports = try (0..<workers).map { worker in
            // The host's packets for a peer come to its owner; whose owner nobody is has none.
            let tun = try LoadTUN(worker < peers ? frame(from: 1, to: worker + 2) : nil)
            let port = try LoadPort(from: endpoint(2))
            Hub.equip(hub.center.workers[worker], tun, port)
            return port
        }
        return try run(hub, bytes) { ports.reduce(0) { $0 + $1.sent.load(ordering: .relaxed) } }
    }

    /// Gbit/s of packets that `workers` open from `peers`.
    static func open(workers: Int, peers: Int, bytes: Int) throws -> Double {
        let hub = try Hub(workers: workers, peers: peers)
        let tuns = try (0..<workers).map { worker in
            let tun = try LoadTUN(nil)
            // More than is needed: messages are longer than what is in them, and the clock starts late.
            let recorded = bytes + bytes / 8 + 4 * warmUp
            let runs = worker < peers ? try record(hub.spokes[worker], worker + 2, recorded) : []
            Hub.equip(hub.center.workers[worker], tun, try LoadPort(runs, from: endpoint(worker + 2)))
            return tun
        }
        return try run(hub, bytes) { tuns.reduce(0) { $0 + $1.taken.load(ordering: .relaxed) } }
    }

    private static func record(_ spoke: Hub.Node, _ number: Int, _ bytes: Int) throws -> [LoadPort.Run] {
        let port = try LoadPort(from: endpoint(1), records: true)
        Hub.equip(spoke.workers[0], try LoadTUN(frame(from: number, to: 1)), port)
        while port.sent.load(ordering: .relaxed) < bytes { spoke.workers[0].turn(Clocks.now()) }
        return port.recorded
    }

    private static func run(_ hub: Hub, _ bytes: Int, progress: () -> Int) throws -> Double {
        let running = try zip(hub.threads, hub.center.workers).map { thread, worker in
            let owned = Owned(worker)
            return Running(
                try Thread(name: "worker") {
                    do throws(Errno) {
                        try thread.run(owned.worker, observe: { _ in }, failed: { _, _ in })
                    } catch {
                        fatalError("a worker cannot go on: \(error)")
                    }
                })
        }
        waitFor(warmUp, progress)
        let (start, done) = (Clocks.now(), progress())
        waitFor(done + bytes, progress)
        let (end, all) = (Clocks.now(), progress())
        for thread in hub.threads { thread.stop() }
        for thread in running { thread.join() }
        return Double(all - done) * 8 / Double((end - start).nanoseconds)
    }

    private static func waitFor(_ bytes: Int, _ progress: () -> Int) {
        let deadline = Clocks.now() + patience
        while progress() < bytes {
            guard Clocks.now() < deadline else { fatalError("\(progress()) of \(bytes) bytes, and no more come") }
            usleep(100)
        }
    }

    private final class Owned: @unchecked Sendable {  // Sendable: its thread has it alone, until it is joined
        let worker: Worker
        init(_ worker: Worker) { self.worker = worker }
    }

    private final class Running {
        private var thread: Thread?
        init(_ thread: consuming Thread) { self.thread = consume thread }
        func join() { thread.take()?.join() }
    }
}
