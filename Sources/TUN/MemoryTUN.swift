import CLinux
import Glibc
import Wire

/// A TUN device whose other side is a test: it injects what the "host" sends and looks at what the "host" gets.
@safe package final class MemoryTUN: FrameDevice {
    package let offloads: TUNOffloads
    /// Frames not read yet, the next one first.
    private var waiting: [[UInt8]] = []
    /// Frames that were written, virtio header in front, the oldest first.
    package private(set) var written: [[UInt8]] = []
    /// How often `write` was called.
    package private(set) var writes = 0
    /// Asked about each frame before it is taken: an error number refuses it, EAGAIN stands for "would block".
    package var refuse: ((_ frame: [UInt8]) -> CInt?)?
    /// What reading gives once no frame is left; nil for "would block".
    package var readError: CInt?

    package init(offloads: TUNOffloads = .all) { self.offloads = offloads }

    package var descriptor: CInt? { nil }
    /// How many frames are still to be read.
    package var waitingCount: Int { waiting.count }

    /// The host sends a packet, described by `header`: nothing owed unless said otherwise.
    package func inject(_ packet: [UInt8], header: VirtioHeader = VirtioHeader()) {
        var frame = [UInt8](repeating: 0, count: VirtioHeader.length)
        unsafe frame.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { unsafe header.store(to: start) }
        }
        inject(frame: frame + packet)
    }

    /// The host sends a frame as it is, the virtio header included.
    package func inject(frame: [UInt8]) { waiting.append(frame) }

    /// What was written since the last call.
    package func takeWritten() -> [[UInt8]] {
        defer { written = [] }
        return written
    }

    package func read(into memory: UnsafeMutableRawBufferPointer) -> FrameTransfer {
        guard !waiting.isEmpty else { return readError.map { .failed($0) } ?? .wouldBlock }
        let frame = waiting.removeFirst().prefix(memory.count)
        unsafe memory.copyBytes(from: frame)
        return .frame(frame.count)
    }

    package func write(_ pieces: UnsafeBufferPointer<iovec>) -> FrameTransfer {
        writes += 1
        var frame: [UInt8] = []
        for index in pieces.indices {
            let (start, count) = unsafe (pieces[index].iov_base, pieces[index].iov_len)
            unsafe frame.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
        }
        if let error = refuse?(frame) { return error == EAGAIN ? .wouldBlock : .failed(error) }
        written.append(frame)
        return .frame(frame.count)
    }
}
