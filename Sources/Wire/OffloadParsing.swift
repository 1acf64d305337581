extension Offload {
    /// What is wrong with a virtio header, measured against the packet behind it (S-27).
    public enum Fault: Error, Hashable, Sendable, CaseIterable {
        /// The bytes are no IP packet at all.
        case notIP
        /// The checksum's place is within the IP header or outside the packet.
        case checksumRange
        /// A segmentation kind that was never agreed on, or an ECN bit where there is no TCP.
        case unknownKind
        /// Segments of 0 bytes.
        case segmentSize
        /// A packet to be cut whose checksum claims to be complete: new ones would hide what the old one shows.
        case checksumNotOwed
        /// The kind names another IP version than the packet's.
        case version
        /// An IPv4 fragment has no transport header to repeat.
        case fragment
        /// The transport header isn't of the kind's protocol, or not where the checksum says that it starts.
        case transport
        /// The transport header is too short by its own account, or reaches out of the packet.
        case transportHeader
        /// The UDP header declares another length than the packet's.
        case datagramLength
    }

    /// Makes of a virtio header what later code may rely on without another look, or names what is wrong with it.
    ///
    /// `header.headerLength` is not used: the kernel fills in too much for forwarded packets, so the length of
    /// the headers comes from the headers. A packet that would be cut into one segment isn't cut.
    public static func parse(_ header: VirtioHeader, of packet: UnsafeRawBufferPointer) -> Result<Offload, Fault> {
        guard let ip = unsafe IPPacket(packet) else { return .failure(.notIP) }
        let needsChecksum = header.flags & VirtioHeader.Flag.needsChecksum != 0
        if needsChecksum {
            let start = Int(header.checksumStart)
            guard start >= ip.headerLength, start + Int(header.checksumOffset) + 2 <= packet.count else {
                return .failure(.checksumRange)
            }
        }
        var offload = Offload(
            needsChecksum: needsChecksum, checksumStart: needsChecksum ? header.checksumStart : 0,
            checksumOffset: needsChecksum ? header.checksumOffset : 0)
        guard header.segmentation != VirtioHeader.Kind.none else { return .success(offload) }

        switch segmentation(of: header, ip) {
        case .failure(let fault): return .failure(fault)
        case .success(let kind): offload.segmentation = kind
        }
        guard header.segmentSize > 0 else { return .failure(.segmentSize) }
        guard needsChecksum else { return .failure(.checksumNotOwed) }

        let length: Int
        switch unsafe headerLength(offload, ip, packet) {
        case .failure(let fault): return .failure(fault)
        case .success(let value): length = value
        }
        if packet.count - length <= Int(header.segmentSize) {
            offload.segmentation = .none
        } else {
            offload.headerLength = UInt16(truncatingIfNeeded: length)
            offload.segmentSize = header.segmentSize
        }
        return .success(offload)
    }

    private static func segmentation(of header: VirtioHeader, _ ip: IPPacket) -> Result<Segmentation, Fault> {
        switch header.segmentation {
        case VirtioHeader.Kind.tcp4, VirtioHeader.Kind.tcp4 | VirtioHeader.Kind.ecn:
            ip.version == .v4 ? .success(.tcp) : .failure(.version)
        case VirtioHeader.Kind.tcp6, VirtioHeader.Kind.tcp6 | VirtioHeader.Kind.ecn:
            ip.version == .v6 ? .success(.tcp) : .failure(.version)
        case VirtioHeader.Kind.udp:
            .success(.udp)
        default:
            .failure(.unknownKind)
        }
    }

    /// Bytes of IP and transport header in front of the payload that is to be cut.
    private static func headerLength(
        _ offload: Offload, _ ip: IPPacket, _ packet: UnsafeRawBufferPointer
    ) -> Result<Int, Fault> {
        guard !ip.isFragment else { return .failure(.fragment) }
        let isTCP = offload.segmentation == .tcp
        guard let bytes = packet.baseAddress, let transport = ip.transport,
            transport.number == (isTCP ? IPProtocol.tcp : IPProtocol.udp),
            transport.offset == Int(offload.checksumStart),
            Int(offload.checksumOffset) == (isTCP ? TCPField.checksum : UDPField.checksum)
        else { return .failure(.transport) }

        let room = packet.count - transport.offset
        if isTCP {
            guard room >= TCPField.length else { return .failure(.transportHeader) }
            let length = Int(unsafe bytes.byte(at: transport.offset + TCPField.flags) >> 4) * 4
            guard length >= TCPField.length, length <= room else { return .failure(.transportHeader) }
            return .success(transport.offset + length)
        }
        guard room >= UDPField.length else { return .failure(.transportHeader) }
        guard Int(unsafe bytes.networkWord(at: transport.offset + UDPField.totalLength)) == room else {
            return .failure(.datagramLength)
        }
        return .success(transport.offset + UDPField.length)
    }
}

extension Offload {
    /// Completes the checksum that a packet owes: the pseudo-header's sum stands in its field already.
    public func completeChecksum(of packet: UnsafeMutableRawBufferPointer) {
        guard needsChecksum, let bytes = packet.baseAddress else { return }
        let start = Int(checksumStart)
        // A packet that changed size since `parse` is the caller's mistake, but never a write outside of it.
        guard start + Int(checksumOffset) + 2 <= packet.count else { return }
        var sum = Checksum()
        unsafe sum.add(UnsafeRawPointer(bytes + start), count: packet.count - start)
        unsafe bytes.storeMemory(sum.transportValue, at: start + Int(checksumOffset))
    }
}
