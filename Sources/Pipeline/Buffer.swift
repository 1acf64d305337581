/// The memory of one packet, owned by whoever holds it.
///
///     | headroom 128 | bytes … | tailroom ≥ 528 |
///
/// The headroom takes a header written in front (and the AEAD's 64 scratch bytes), the tailroom an authentication tag
/// and what vectorised code touches behind a packet. A buffer that is not given back to a pool frees itself.
@safe public struct Buffer: ~Copyable, @unchecked Sendable {  // Sendable: it has one owner, and moves with it
    public enum Size: Int, Sendable, CaseIterable {
        /// One packet of an ordinary link: up to 1904 bytes.
        case small = 2560
        /// A super-packet, or a run of received datagrams: up to 65,535 bytes and a link header.
        case large = 66_560
    }

    public static let headroom = 128
    public static let tailroom = 528

    /// The most bytes that a buffer of `size` takes between headroom and tailroom.
    @inlinable public static func room(_ size: Size) -> Int { size.rawValue - headroom - tailroom }

    /// The smallest size with room for `count` bytes.
    @inlinable public static func size(for count: Int) -> Size { count <= room(.small) ? .small : .large }

    public let size: Size
    @usableFromInline let memory: UnsafeMutableRawPointer

    public init(_ size: Size) {
        self.size = size
        unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: size.rawValue, alignment: 64)
    }

    deinit { unsafe memory.deallocate() }

    private static let page = 4096

    /// The buffer, each page of it written to once: the kernel gives a page when it is first touched.
    consuming func touched() -> Buffer {
        for offset in stride(from: 0, to: size.rawValue, by: Self.page) {
            unsafe memory.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
        }
        return self
    }

    /// Where a packet starts that leaves the headroom free.
    @inlinable public var start: UnsafeMutableRawPointer { unsafe memory + Buffer.headroom }
}
