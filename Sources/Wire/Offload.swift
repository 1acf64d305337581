/// What a plaintext packet still owes before it could go on a wire: cutting into segments, a transport checksum.
///
/// The kernel hands a TUN reader up to 64 KiB as one packet together with this description (virtio_net_hdr); it was
/// checked against the packet's own headers when it was read, so that later code may rely on it.
public struct Offload: Hashable, Sendable {
    public enum Segmentation: UInt8, Sendable {
        /// One packet, not to be cut.
        case none
        /// TCP over IPv4 or IPv6 (TSO).
        case tcp
        /// UDP over IPv4 or IPv6 (USO): each segment becomes a datagram of its own.
        case udp
    }

    public var segmentation: Segmentation
    /// True when the transport checksum field holds only the folded pseudo-header sum, not complemented.
    public var needsChecksum: Bool
    /// Bytes of IP and transport header, repeated in front of each segment; 0 when nothing is to be cut.
    public var headerLength: UInt16
    /// Transport payload bytes in each segment but the last; 0 when nothing is to be cut.
    public var segmentSize: UInt16
    /// Where the checksummed range starts, from the packet's first byte; it reaches to the packet's end.
    public var checksumStart: UInt16
    /// Where in that range the 16-bit checksum stands.
    public var checksumOffset: UInt16

    @inlinable public init(
        segmentation: Segmentation = .none, needsChecksum: Bool = false, headerLength: UInt16 = 0,
        segmentSize: UInt16 = 0, checksumStart: UInt16 = 0, checksumOffset: UInt16 = 0
    ) {
        self.segmentation = segmentation
        self.needsChecksum = needsChecksum
        self.headerLength = headerLength
        self.segmentSize = segmentSize
        self.checksumStart = checksumStart
        self.checksumOffset = checksumOffset
    }

    /// A complete packet that owes nothing.
    @inlinable public static var none: Offload { Offload() }
}
