/// What joining packets of one flow into one goes by: where the headers of a received packet end, which flow it
/// belongs to, and whether its kind of packet may be joined at all.
@safe struct FlowHeader {
    enum Kind {
        case tcp
        case udp
        /// No ports in sight: other protocols, fragments, IPv4 options, extension headers, lying lengths.
        case other
    }

    private(set) var kind = Kind.other
    /// True for TCP that carries data and no news about the connection, and for UDP with data and a checksum.
    private(set) var isJoinable = false
    /// Stands for the two addresses. Equal for equal ones; different ones may share it, which costs a chance to join.
    private(set) var addresses: UInt64 = 0
    /// Both ports as they stand in memory, and the protocol.
    private(set) var ports: UInt64 = 0
    private(set) var version = IPAddress.Family.v4
    private(set) var transport = 0
    /// Bytes of IP and transport header.
    private(set) var length = 0
    private(set) var flags: UInt16 = 0

    private static let tcpNews = TCPField.fin | TCPField.syn | TCPField.rst | TCPField.urg | TCPField.cwr

    init(_ bytes: UnsafeRawPointer, count: Int) {
        guard count >= IPv4Field.length else { return }
        let protocolNumber: UInt8
        switch unsafe bytes.byte(at: 0) >> 4 {
        case 4:
            addresses = unsafe bytes.loadUnaligned(fromByteOffset: IPv4Field.source, as: UInt64.self)
            guard unsafe bytes.byte(at: 0) == 0x45,
                unsafe Int(bytes.networkWord(at: IPv4Field.totalLength)) == count,
                unsafe bytes.networkWord(at: IPv4Field.fragment) & IPv4Field.fragmentMask == 0
            else { return }
            transport = IPv4Field.length
            protocolNumber = unsafe bytes.byte(at: IPv4Field.transport)
        case 6:
            guard count >= IPv6Field.length else { return }
            addresses = unsafe Self.fingerprint(v6: bytes + IPv6Field.source)
            guard unsafe Int(bytes.networkWord(at: IPv6Field.payloadLength)) + IPv6Field.length == count else { return }
            version = .v6
            transport = IPv6Field.length
            protocolNumber = unsafe bytes.byte(at: IPv6Field.nextHeader)
        default:
            return
        }
        switch protocolNumber {
        case IPProtocol.tcp: unsafe readTCP(bytes, count)
        case IPProtocol.udp: unsafe readUDP(bytes, count)
        default: break
        }
    }

    private mutating func readTCP(_ bytes: UnsafeRawPointer, _ count: Int) {
        guard count >= transport + TCPField.length else { return }
        kind = .tcp
        ports = UInt64(unsafe bytes.memoryLong(at: transport)) | UInt64(IPProtocol.tcp) << 32
        flags = unsafe bytes.networkWord(at: transport + TCPField.flags)
        let header = Int(flags >> 12) * 4
        length = transport + header
        isJoinable =
            header >= TCPField.length && length < count && flags & Self.tcpNews == 0 && flags & TCPField.ack != 0
    }

    private mutating func readUDP(_ bytes: UnsafeRawPointer, _ count: Int) {
        guard count >= transport + UDPField.length else { return }
        kind = .udp
        ports = UInt64(unsafe bytes.memoryLong(at: transport)) | UInt64(IPProtocol.udp) << 32
        length = transport + UDPField.length
        isJoinable =
            unsafe length < count
            && Int(bytes.networkWord(at: transport + UDPField.totalLength)) == count - transport
            && bytes.memoryWord(at: transport + UDPField.checksum) != 0
    }

    private static func fingerprint(v6 addresses: UnsafeRawPointer) -> UInt64 {
        var mixed: UInt64 = 0
        for offset in stride(from: 0, to: 32, by: 8) {
            let part = unsafe addresses.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            mixed = (mixed ^ part) &* 0x9e37_79b9_7f4a_7c15  // 2⁶⁴/φ, odd: each step keeps all of what came before
            mixed ^= mixed >> 32
        }
        return mixed
    }
}

extension FlowHeader {
    /// True when the checksums over IPv4 header and transport of the packet hold.
    func isIntact(_ bytes: UnsafeRawPointer, count: Int) -> Bool {
        if version == .v4 {
            var header = Checksum()
            unsafe header.add(bytes, count: IPv4Field.length)
            guard header.isIntact else { return false }
        }
        var sum = unsafe Checksum.pseudoHeader(
            version, at: bytes, transport: UInt8(truncatingIfNeeded: ports >> 32), length: count - transport)
        unsafe sum.add(bytes + transport, count: count - transport)
        return sum.isIntact
    }

    /// True when `next` differs from `first` in nothing but lengths, checksums, identification, sequence and PSH;
    /// both are joinable and `self` is the header of both as far as kind, version and length go.
    func isRepeated(_ first: UnsafeRawPointer, in next: UnsafeRawPointer) -> Bool {
        switch version {
        case .v4:
            guard unsafe first.memoryWord(at: 0) == next.memoryWord(at: 0),
                unsafe first.memoryWord(at: IPv4Field.fragment) == next.memoryWord(at: IPv4Field.fragment),
                unsafe first.memoryWord(at: IPv4Field.timeToLive) == next.memoryWord(at: IPv4Field.timeToLive),
                unsafe isEqual(first, next, from: IPv4Field.source, to: IPv4Field.length)
            else { return false }
        case .v6:
            guard unsafe first.memoryLong(at: 0) == next.memoryLong(at: 0),
                unsafe first.memoryWord(at: IPv6Field.nextHeader) == next.memoryWord(at: IPv6Field.nextHeader),
                unsafe isEqual(first, next, from: IPv6Field.source, to: IPv6Field.length)
            else { return false }
        }
        guard unsafe first.memoryLong(at: transport) == next.memoryLong(at: transport) else { return false }
        guard kind == .tcp else { return true }
        let flags = unsafe first.networkWord(at: transport + TCPField.flags)
        return unsafe (flags ^ next.networkWord(at: transport + TCPField.flags)) & ~TCPField.psh == 0
            && isEqual(first, next, from: transport + TCPField.acknowledgement, to: transport + TCPField.flags)
            && isEqual(first, next, from: transport + TCPField.window, to: transport + TCPField.checksum)
            && isEqual(first, next, from: transport + TCPField.urgent, to: length)
    }

    /// Compares an even number of bytes.
    private func isEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, from: Int, to end: Int) -> Bool {
        var offset = from
        while offset &+ 4 <= end {
            guard unsafe a.memoryLong(at: offset) == b.memoryLong(at: offset) else { return false }
            offset &+= 4
        }
        return unsafe offset == end || a.memoryWord(at: offset) == b.memoryWord(at: offset)
    }
}
