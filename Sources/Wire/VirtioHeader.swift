/// The 10 bytes in front of each packet of a TUN device with IFF_VNET_HDR: `struct virtio_net_hdr`
/// (linux/virtio_net.h), in host order.
///
/// As it is read nothing in it is to be trusted: `Offload.parse` makes something of it that may be (S-27).
public struct VirtioHeader: Hashable, Sendable {
    /// Bytes of the header.
    public static let length = 10

    /// The values of `flags`.
    public enum Flag {
        public static let needsChecksum: UInt8 = 1
        public static let dataValid: UInt8 = 2
    }

    /// The values of `segmentation`.
    public enum Kind {
        public static let none: UInt8 = 0
        public static let tcp4: UInt8 = 1
        public static let tcp6: UInt8 = 4
        public static let udp: UInt8 = 5
        /// Or-ed to a TCP kind: the first segment carries CWR.
        public static let ecn: UInt8 = 0x80
    }

    public var flags: UInt8 = 0
    public var segmentation: UInt8 = Kind.none
    public var headerLength: UInt16 = 0
    public var segmentSize: UInt16 = 0
    public var checksumStart: UInt16 = 0
    public var checksumOffset: UInt16 = 0

    /// A header that asks for nothing.
    @inlinable public init() {}

    /// Reads the 10 bytes at `bytes`.
    @inlinable public init(at bytes: UnsafeRawPointer) {
        flags = unsafe bytes.byte(at: 0)
        segmentation = unsafe bytes.byte(at: 1)
        headerLength = unsafe bytes.memoryWord(at: 2)
        segmentSize = unsafe bytes.memoryWord(at: 4)
        checksumStart = unsafe bytes.memoryWord(at: 6)
        checksumOffset = unsafe bytes.memoryWord(at: 8)
    }

    /// What tells the kernel about a packet that still owes `offload`.
    @inlinable public init(_ offload: Offload, version: IPAddress.Family) {
        guard offload.needsChecksum else { return }
        flags = Flag.needsChecksum
        checksumStart = offload.checksumStart
        checksumOffset = offload.checksumOffset
        switch offload.segmentation {
        case .none: return
        case .tcp: segmentation = version == .v4 ? Kind.tcp4 : Kind.tcp6
        case .udp: segmentation = Kind.udp
        }
        headerLength = offload.headerLength
        segmentSize = offload.segmentSize
    }

    /// Writes the 10 bytes to `bytes`.
    @inlinable public func store(to bytes: UnsafeMutableRawPointer) {
        unsafe bytes.storeByte(flags, at: 0)
        unsafe bytes.storeByte(segmentation, at: 1)
        unsafe bytes.storeMemory(headerLength, at: 2)
        unsafe bytes.storeMemory(segmentSize, at: 4)
        unsafe bytes.storeMemory(checksumStart, at: 6)
        unsafe bytes.storeMemory(checksumOffset, at: 8)
    }
}
