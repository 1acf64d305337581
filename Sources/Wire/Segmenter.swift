/// Cuts a super-packet into the packets that it stands for, in place and without copying payload (TSO and USO done by
/// hand: P-4.23).
///
/// Segment k's headers are written straight in front of its payload, over the end of segment k − 1. So the caller is
/// done with a segment, having read it to somewhere else, before it asks for the next one. Until then it leaves the
/// segment's own bytes as they are; those in front of it are free for use.
///
///     | headers | payload 0 | payload 1 | payload 2 |       as it came
///     | headers | payload 0 |                               segment 0
///               … | headers | payload 1 |                   segment 1
///
/// A packet that isn't to be cut comes out once, its checksum complete.
@safe public struct Segmenter {
    private let bytes: UnsafeMutableRawPointer
    private let count: Int
    private let offload: Offload
    private let version: IPAddress.Family

    /// Where the next segment's payload starts.
    private var payload: Int
    private var index: UInt32 = 0
    private var isDone = false

    /// The first segment's identification and sequence number, the super-packet's flags.
    private var identification: UInt16 = 0
    private var sequence: UInt32 = 0
    private var flags: UInt16 = 0
    /// What the checksums of all segments have in common: everything but lengths, identification, sequence, flags.
    private var networkSum = Checksum()
    private var transportSum = Checksum()

    /// `offload` is what `Offload.parse` made for just these bytes.
    public init(_ bytes: UnsafeMutableRawPointer, count: Int, _ offload: Offload) {
        unsafe self.bytes = bytes
        self.count = count
        self.offload = offload
        payload = Int(offload.headerLength)
        version = unsafe count > 0 && UnsafeRawPointer(bytes).byte(at: 0) >> 4 == 6 ? .v6 : .v4
        isDone = count == 0
        guard offload.segmentation != .none else { return }
        precondition(payload < count && offload.segmentSize > 0)
        unsafe sumCommonParts(of: UnsafeRawPointer(bytes))
    }

    /// The next segment, as a range of the packet's bytes; nil after the last.
    public mutating func next() -> (offset: Int, count: Int)? {
        guard !isDone else { return nil }
        guard offload.segmentation != .none else {
            isDone = true
            unsafe offload.completeChecksum(of: UnsafeMutableRawBufferPointer(start: bytes, count: count))
            return (0, count)
        }
        let header = Int(offload.headerLength)
        let size = min(Int(offload.segmentSize), count &- payload)
        let start = payload &- header
        let segment = unsafe bytes + start
        if index > 0 {
            // From the segment before. The two overlap where the headers are longer than the payload.
            unsafe segment.copyMemory(from: segment - Int(offload.segmentSize), byteCount: header)
        }
        isDone = payload &+ size == count
        unsafe writeNetwork(segment, length: header &+ size)
        switch offload.segmentation {
        case .tcp: unsafe writeTCP(segment, length: header &+ size)
        case .udp: unsafe writeUDP(segment, length: header &+ size)
        case .none: break
        }
        payload &+= size
        index &+= 1
        return (start, header &+ size)
    }

    private mutating func sumCommonParts(of packet: UnsafeRawPointer) {
        let transport = Int(offload.checksumStart)
        if version == .v4 {
            identification = unsafe packet.networkWord(at: IPv4Field.identification)
            unsafe networkSum.add(packet, count: transport)
            unsafe networkSum.subtract(packet.memoryWord(at: IPv4Field.totalLength))
            unsafe networkSum.subtract(packet.memoryWord(at: IPv4Field.identification))
            unsafe networkSum.subtract(packet.memoryWord(at: IPv4Field.checksum))
        }
        // The checksum field holds the pseudo-header's sum, so that the header's sum has it already, with the
        // super-packet's length in it. (With a routing header the addresses in sight would be the wrong ones.)
        let header = unsafe packet + transport
        unsafe transportSum.add(header, count: Int(offload.headerLength) - transport)
        transportSum.subtract(UInt32(truncatingIfNeeded: count - transport).bigEndian)
        if offload.segmentation == .tcp {
            sequence = unsafe header.networkLong(at: TCPField.sequence)
            flags = unsafe header.networkWord(at: TCPField.flags)
            unsafe transportSum.subtract(header.memoryLong(at: TCPField.sequence))
            unsafe transportSum.subtract(header.memoryWord(at: TCPField.flags))
        } else {
            unsafe transportSum.subtract(header.memoryWord(at: UDPField.totalLength))
        }
    }

    private func writeNetwork(_ segment: UnsafeMutableRawPointer, length: Int) {
        switch version {
        case .v4:
            let length = UInt16(truncatingIfNeeded: length)
            let identification = identification &+ UInt16(truncatingIfNeeded: index)
            var sum = networkSum
            sum.add(network: length)
            sum.add(network: identification)
            unsafe segment.storeNetwork(length, at: IPv4Field.totalLength)
            unsafe segment.storeNetwork(identification, at: IPv4Field.identification)
            unsafe segment.storeMemory(sum.value, at: IPv4Field.checksum)
        case .v6:
            unsafe segment.storeNetwork(
                UInt16(truncatingIfNeeded: length &- IPv6Field.length), at: IPv6Field.payloadLength)
        }
    }

    /// FIN and PSH belong to the last segment only, CWR to the first.
    private func writeTCP(_ segment: UnsafeMutableRawPointer, length: Int) {
        let (transport, headers) = (Int(offload.checksumStart), Int(offload.headerLength))
        let header = unsafe segment + transport
        var flags = flags
        if !isDone { flags &= ~(TCPField.fin | TCPField.psh) }
        if index > 0 { flags &= ~TCPField.cwr }
        let sequence = sequence &+ index &* UInt32(offload.segmentSize)
        unsafe header.storeNetwork(sequence, at: TCPField.sequence)
        unsafe header.storeNetwork(flags, at: TCPField.flags)

        var sum = transportSum
        sum.add(network: sequence)
        sum.add(network: flags)
        sum.add(network: UInt32(truncatingIfNeeded: length &- transport))
        unsafe sum.add(segment + headers, count: length &- headers)
        unsafe header.storeMemory(sum.transportValue, at: TCPField.checksum)
    }

    private func writeUDP(_ segment: UnsafeMutableRawPointer, length: Int) {
        let (transport, headers) = (Int(offload.checksumStart), Int(offload.headerLength))
        let header = unsafe segment + transport
        let datagram = UInt16(truncatingIfNeeded: length &- transport)
        unsafe header.storeNetwork(datagram, at: UDPField.totalLength)

        var sum = transportSum
        sum.add(network: datagram)
        sum.add(network: UInt32(datagram))
        unsafe sum.add(segment + headers, count: length &- headers)
        unsafe header.storeMemory(sum.transportValue, at: UDPField.checksum)
    }
}
