import CLinux
import Glibc
import Pipeline
import Wire

/// The pieces of the frame that is about to be written: a virtio header of its own, then borrowed bytes.
@safe struct FramePieces: ~Copyable {
    /// The virtio header, and a piece for each packet of a run.
    private static let bound = 1 + Coalescer.runBound

    private let header: UnsafeMutableRawPointer
    private let storage: UnsafeMutablePointer<iovec>
    private var count = 0

    init() {
        unsafe header = .allocate(byteCount: VirtioHeader.length, alignment: 8)
        unsafe storage = .allocate(capacity: Self.bound)
    }

    deinit {
        unsafe header.deallocate()
        unsafe storage.deallocate()
    }

    /// Starts a frame.
    mutating func begin(_ header: VirtioHeader) {
        unsafe header.store(to: self.header)
        count = 0
        unsafe append(self.header, VirtioHeader.length)
    }

    mutating func append(_ bytes: UnsafeMutableRawPointer, _ length: Int) {
        precondition(count < Self.bound)
        unsafe (storage + count).initialize(to: iovec(iov_base: bytes, iov_len: length))
        count += 1
    }

    var pieces: UnsafeBufferPointer<iovec> { unsafe UnsafeBufferPointer(start: storage, count: count) }
}
