/// Packets of one flow that go to the kernel as one, or a packet on its own: the pieces are chained by their numbers
/// in the `Coalescer`.
@safe public struct CoalescedRun {
    /// `none` for a packet on its own.
    public internal(set) var segmentation = Offload.Segmentation.none
    /// The first packet's number; its bytes go out whole, those of the others without their headers.
    public let first: Int
    var last: Int
    /// How many packets.
    public internal(set) var count = 1
    /// Bytes of IP and transport header of each packet.
    public let headerLength: Int
    /// Bytes of the packet that they make together.
    public internal(set) var totalLength: Int

    let version: IPAddress.Family
    let transport: Int
    let segmentSize: Int
    /// The sequence number that the next packet has to have.
    var sequence: UInt32
    /// Of the first packet, without DF: the identifications have to count up from it, else they are free.
    let identification: UInt16?
    var isFirstIntact: Bool
    /// True when the last packet has PSH, which then stands in the joined header.
    var pushes = false
    /// The fields of the first packet that `join` overwrote.
    private var original = Original()

    private struct Original {
        var length: UInt16 = 0
        var networkChecksum: UInt16 = 0
        var transportLength: UInt16 = 0
        var transportChecksum: UInt16 = 0
        var flags: UInt16 = 0
    }

    init(number: Int, bytes: UnsafeRawPointer, count: Int, header: FlowHeader, isIntact: Bool) {
        first = number
        last = number
        totalLength = count
        headerLength = header.length
        version = header.version
        transport = header.transport
        segmentSize = count - header.length
        isFirstIntact = isIntact
        sequence = 0
        var identification: UInt16?
        if header.isJoinable {
            if header.kind == .tcp {
                sequence = unsafe bytes.networkLong(at: transport + TCPField.sequence)
                sequence &+= UInt32(truncatingIfNeeded: segmentSize)
            }
            let isFree =
                unsafe version == .v6
                || bytes.networkWord(at: IPv4Field.fragment) & IPv4Field.dontFragment != 0
            if !isFree { identification = unsafe bytes.networkWord(at: IPv4Field.identification) }
        }
        self.identification = identification
    }

    /// Makes the first packet's header that of the whole, its transport checksum left to the kernel, and describes it.
    mutating func join(_ bytes: UnsafeMutableRawPointer) -> VirtioHeader {
        guard segmentation != .none else { return VirtioHeader() }
        let packet = UnsafeRawPointer(bytes)
        let lengthField = version == .v4 ? IPv4Field.totalLength : IPv6Field.payloadLength
        original.length = unsafe packet.memoryWord(at: lengthField)
        let length = version == .v4 ? totalLength : totalLength - IPv6Field.length
        unsafe bytes.storeNetwork(UInt16(truncatingIfNeeded: length), at: lengthField)
        if version == .v4 {
            original.networkChecksum = unsafe packet.memoryWord(at: IPv4Field.checksum)
            unsafe bytes.storeMemory(
                Checksum.updated(
                    original.networkChecksum, replacing: original.length, with: packet.memoryWord(at: lengthField)),
                at: IPv4Field.checksum)
        }
        return unsafe joinTransport(bytes)
    }

    private mutating func joinTransport(_ bytes: UnsafeMutableRawPointer) -> VirtioHeader {
        let isTCP = segmentation == .tcp
        let header = unsafe bytes + transport
        let checksum = isTCP ? TCPField.checksum : UDPField.checksum
        original.transportChecksum = unsafe UnsafeRawPointer(header).memoryWord(at: checksum)
        if isTCP {
            original.flags = unsafe UnsafeRawPointer(header).networkWord(at: TCPField.flags)
            if pushes { unsafe header.storeNetwork(original.flags | TCPField.psh, at: TCPField.flags) }
        } else {
            original.transportLength = unsafe UnsafeRawPointer(header).memoryWord(at: UDPField.totalLength)
            unsafe header.storeNetwork(
                UInt16(truncatingIfNeeded: totalLength - transport), at: UDPField.totalLength)
        }
        let pseudoHeader = unsafe Checksum.pseudoHeader(
            version, at: bytes, transport: isTCP ? IPProtocol.tcp : IPProtocol.udp, length: totalLength - transport)
        unsafe header.storeMemory(pseudoHeader.folded, at: checksum)
        let offload = Offload(
            segmentation: segmentation, needsChecksum: true, headerLength: UInt16(truncatingIfNeeded: headerLength),
            segmentSize: UInt16(truncatingIfNeeded: segmentSize),
            checksumStart: UInt16(truncatingIfNeeded: transport),
            checksumOffset: UInt16(truncatingIfNeeded: checksum))
        return VirtioHeader(offload, version: version)
    }

    /// Undoes `join`.
    func separate(_ bytes: UnsafeMutableRawPointer) {
        guard segmentation != .none else { return }
        unsafe bytes.storeMemory(
            original.length, at: version == .v4 ? IPv4Field.totalLength : IPv6Field.payloadLength)
        if version == .v4 { unsafe bytes.storeMemory(original.networkChecksum, at: IPv4Field.checksum) }
        let header = unsafe bytes + transport
        if segmentation == .tcp {
            unsafe header.storeMemory(original.transportChecksum, at: TCPField.checksum)
            unsafe header.storeNetwork(original.flags, at: TCPField.flags)
        } else {
            unsafe header.storeMemory(original.transportChecksum, at: UDPField.checksum)
            unsafe header.storeMemory(original.transportLength, at: UDPField.totalLength)
        }
    }
}
