import Crypto

/// A source and a destination for the AEAD, each with the room around it that it asks for.
@safe struct TunnelScratch: ~Copyable {
    /// The largest datagram there is.
    static let capacity = 65_535
    private static let size = (AEAD.headroom + capacity + AEAD.slack + 63) & ~63

    private let memory: UnsafeMutableRawPointer

    init() {
        unsafe memory = .allocate(byteCount: 2 * Self.size, alignment: 64)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: 2 * Self.size)
    }

    deinit { unsafe memory.deallocate() }

    /// Room for `capacity` bytes.
    var source: UnsafeMutableRawPointer { unsafe memory + AEAD.headroom }
    /// Room for `capacity` bytes.
    var destination: UnsafeMutableRawPointer { unsafe memory + Self.size + AEAD.headroom }

    /// Puts at most `capacity` bytes where the source begins, and `zeros` more behind them.
    func load(_ bytes: UnsafeRawBufferPointer, zeros: Int = 0) {
        if let start = bytes.baseAddress { unsafe source.copyMemory(from: start, byteCount: bytes.count) }
        if zeros > 0 {
            unsafe (source + bytes.count).initializeMemory(as: UInt8.self, repeating: 0, count: zeros)
        }
    }

    /// The first `count` bytes of the destination.
    func result(_ count: Int) -> [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: destination, count: count))
    }
}
