import Linux
import Pipeline
import Wire

/// A worker's end of a TUN device: frames to packets in batches, and back.
///
/// What it reads stays whole, super-packets included, with a checked `Offload`. What it writes it coalesces first. A
/// frame is read into a large buffer, for it may have 64 KiB; one that fits a small buffer moves there (some 30 ns
/// beside a system call of 1000), so that a stage that keeps packets keeps 2.5 KiB each and not 65, and the next read
/// finds memory that is still in the cache.
package final class TUNQueue {
    /// How reading ended.
    package enum Reception: Equatable {
        /// Nothing is left for now.
        case drained
        /// The limit was reached; there may be more.
        case more
        /// The device is out of order, as when its link was deleted: to be waited on no more.
        case failed(Errno)
    }

    package let device: any FrameDevice
    // Structs, each called once a batch: so exclusive access is checked once a batch, not for every packet.
    private var reader = TUNReader()
    private var writer = TUNWriter()

    /// `coalescesTCP` and `coalescesUDP` say what may be joined on its way to the device.
    package init(_ device: any FrameDevice, coalescesTCP: Bool = true, coalescesUDP: Bool = true) {
        self.device = device
        writer.coalescer.joinsTCP = coalescesTCP
        // Kernels that cannot hand over UDP super-packets do not take them either.
        writer.coalescer.joinsUDP = coalescesUDP && device.offloads.contains(.uso)
    }

    /// Outbound, from the host: appends packets to the batch until the device has none left, `limit` frames were read
    /// or the batch is full.
    package func receive(into batch: inout PacketBatch, limit: Int = PacketBatch.capacity) -> Reception {
        reader.receive(from: device, into: &batch, limit: limit)
    }

    /// Inbound, to the host: writes the batch's packets, joined where they may be, and leaves the batch empty.
    package func send(_ batch: inout PacketBatch) { writer.send(&batch, to: device) }

    /// Whether packets are joined now. A kind that the kernel refused stays off.
    package var coalesces: (tcp: Bool, udp: Bool) { (writer.coalescer.joinsTCP, writer.coalescer.joinsUDP) }

    package func dropped(_ reason: TUNDrop) -> UInt64 { reader.drops[reason] + writer.drops[reason] }

    package static let counters: [Counter<TUNQueue>] = [
        Counter("packets-read", "packets from the host") { $0.reader.packets },
        Counter("bytes-read", "their bytes") { $0.reader.bytes },
        Counter("frames-read", "reads, each one packet or super-packet") { $0.reader.frames },
        Counter("packets-written", "packets to the host") { $0.writer.packets },
        Counter("bytes-written", "their bytes") { $0.writer.bytes },
        Counter("frames-written", "writes, each one packet or super-packet") { $0.writer.frames },
        Counter("coalescing-fallbacks", "super-packets that the kernel refused and that were written one by one") {
            $0.writer.fallbacks
        },
    ]

    package var report: StageReport {
        var report = StageReport(Self.counters, of: self, drops: reader.drops.report)
        report.add(StageReport(drops: writer.drops.report))
        return report
    }
}
