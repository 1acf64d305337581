import Wire

/// One entry of a batch: bytes in a buffer that it owns, and what the stages have learned about them.
///
/// Above `wireguard` the bytes are an IP packet, up to 64 KiB and possibly many segments (`offload`). Below it they
/// are UDP payload, a run of datagrams back to back (`datagramSize`). Either way one entry may stand for many packets
/// on the wire: `wirePackets` tells how many.
@safe public struct Packet: ~Copyable {
    public var buffer: Buffer
    /// Where the bytes start, counted from the buffer's `start`; negative within the headroom.
    public var offset: Int
    public var count: Int
    /// Above `wireguard`: what the packet still owes.
    public var offload: Offload = .none
    /// Below `wireguard`: the length of each datagram of the run but the last, which may be shorter; 0 for a single one.
    public var datagramSize: Int = 0
    /// Whom it goes to or, once authenticated, comes from.
    public var peer: PeerID = .none
    /// Below `wireguard`: where it goes or where it came from.
    public var path: Path?
    /// Below `wireguard`: the outer header's DS field and ECN bits.
    public var trafficClass: UInt8 = 0

    /// Takes `buffer`, whose first `count` bytes from `start` on are the packet.
    public init(_ buffer: consuming Buffer, count: Int) {
        self.buffer = buffer
        self.offset = 0
        self.count = count
    }

    /// The packet's bytes, with `Buffer.headroom + offset` bytes of the buffer in front.
    @inlinable public var bytes: UnsafeMutableRawPointer { unsafe buffer.start + offset }

    /// The packet's bytes and their count, for header views, which check the length once.
    @inlinable public var contents: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: bytes, count: count)
    }

    /// How many packets this entry is on the wire.
    @inlinable public var wirePackets: Int {
        let (payload, each) =
            datagramSize > 0
            ? (count, datagramSize)
            : (count - Int(offload.headerLength), Int(offload.segmentSize))
        return each > 0 ? max(1, (payload + each - 1) / each) : 1
    }

    /// The length of the last of the packets that this entry is above `wireguard`.
    @inlinable public var lastSegment: Int {
        guard offload.segmentSize > 0, count > Int(offload.headerLength) else { return count }
        let header = Int(offload.headerLength)
        return header + (count - header - 1) % Int(offload.segmentSize) + 1
    }

    /// The length of the longest of the packets that this entry is above `wireguard`: headers and one segment.
    @inlinable public var largestSegment: Int {
        offload.segmentSize > 0 ? min(count, Int(offload.headerLength) + Int(offload.segmentSize)) : count
    }
}
