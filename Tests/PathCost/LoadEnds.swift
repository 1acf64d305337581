import CLinux
import Glibc
import Linux
import Pipeline
import StageTestKit
import Synchronization
import TUN
import UDP
import Wire

/// A TUN queue whose host always has another super-packet to send, and takes whatever it is given.
@safe final class LoadTUN: FrameDevice, @unchecked Sendable {  // Sendable: its worker has it alone, but for the counter
    let offloads = TUNOffloads.all
    let descriptor: CInt?
    /// Bytes that were written to the host.
    let taken = Atomic(0)
    private let ready: EventDescriptor
    private let frame: [UInt8]

    /// `frame` is what the host sends, its virtio header in front; nil when it sends nothing.
    init(_ frame: [UInt8]?) throws {
        ready = try EventDescriptor()
        if frame != nil { ready.signal() }  // and never cleared: there is always more
        descriptor = ready.rawValue
        self.frame = frame ?? []
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> FrameTransfer {
        guard !frame.isEmpty else { return .wouldBlock }
        unsafe memory.copyBytes(from: frame)
        return .frame(frame.count)
    }

    func write(_ pieces: UnsafeBufferPointer<iovec>) -> FrameTransfer {
        var count = 0
        for index in pieces.indices { unsafe count += pieces[index].iov_len }
        taken.add(count, ordering: .relaxed)
        return .frame(count)
    }
}

/// A port that gives what was recorded, each run once, and counts or records what is sent.
@safe final class LoadPort: UDPPort, @unchecked Sendable {  // Sendable: its worker has it alone, but for the counter
    struct Run {
        let bytes: [UInt8]
        let datagramSize: Int
    }

    let descriptors: [CInt]
    var report: StageReport { StageReport() }
    /// Bytes that were sent.
    let sent = Atomic(0)
    private(set) var recorded: [Run] = []
    private let records: Bool
    private let ready: EventDescriptor
    private let runs: [Run]
    private var next = 0
    private let path: Path

    private static let runsAtOnce = 8

    /// `runs` come from `sender`.
    init(_ runs: [Run] = [], from sender: Endpoint, records: Bool = false) throws {
        ready = try EventDescriptor()
        descriptors = [ready.rawValue]
        self.runs = runs
        self.records = records
        path = Path(remote: sender)
        if !runs.isEmpty { ready.signal() }
    }

    func receive(into batch: inout PacketBatch) {
        for run in runs[next..<min(next + Self.runsAtOnce, runs.count)] {
            var packet = Packet(batch.pool.take(.large), count: run.bytes.count)
            unsafe packet.contents.copyBytes(from: run.bytes)
            packet.datagramSize = run.datagramSize
            packet.path = path
            batch.append(packet)
            next += 1
        }
        if next == runs.count { ready.clear() }
    }

    func send(_ batch: inout PacketBatch) {
        for index in 0..<batch.count {
            sent.add(batch[index].count, ordering: .relaxed)
            guard records else { continue }
            let bytes = unsafe [UInt8](UnsafeRawBufferPointer(batch[index].contents))
            recorded.append(Run(bytes: bytes, datagramSize: batch[index].datagramSize))
        }
        batch.removeAll()
    }
}
