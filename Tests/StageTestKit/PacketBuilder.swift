import Wire

/// An IP packet spelled out field by field, and made into bytes the slow and obvious way: nothing here uses the code that
/// stages are made of.
package struct PacketBuilder: Sendable {
    package enum Transport: Sendable, Equatable {
        case udp
        /// Flags as in byte 13 of the header: 0x10 is ACK, 0x02 SYN.
        case tcp(sequence: UInt32 = 1000, acknowledgement: UInt32 = 77, flags: UInt8 = 0x10, options: [UInt8] = [])
        /// ICMP or, over IPv6, ICMPv6; `rest` are the four bytes after the checksum.
        case icmp(type: UInt8, code: UInt8 = 0, rest: UInt32 = 0)
        /// The payload comes right after the IP header, under this protocol number.
        case other(UInt8)
    }

    /// An IPv6 extension header; its first byte, the next header's number, is filled in.
    package struct ExtensionHeader: Sendable, Equatable {
        package var number: UInt8
        package var bytes: [UInt8]
        package init(number: UInt8, bytes: [UInt8]) {
            self.number = number
            self.bytes = bytes
        }
    }

    package var source: IPAddress
    package var destination: IPAddress
    package var trafficClass: UInt8 = 0
    package var timeToLive: UInt8 = 64
    /// IPv4 only.
    package var identification: UInt16 = 0
    /// IPv4's flags and fragment offset, as the word stands in the header; "don't fragment" alone unless said otherwise.
    package var fragment: UInt16 = 0x4000
    /// IPv4 only; a multiple of four bytes.
    package var ipOptions: [UInt8] = []
    /// IPv6 only.
    package var flowLabel: UInt32 = 0
    /// IPv6 only.
    package var extensionHeaders: [ExtensionHeader] = []
    package var transport: Transport
    package var sourcePort: UInt16 = 40_000
    package var destinationPort: UInt16 = 443
    package var payload: [UInt8] = []
    /// Payload bytes of each segment, for a super-packet as the kernel hands it over; 0 for a packet that is not to be cut.
    package var segmentSize = 0
    /// Whether the transport checksum is left to whoever sends the packet, as it always is in a super-packet.
    package var owesChecksum = false

    /// The addresses are of one family.
    package init(from source: String, to destination: String, _ transport: Transport) {
        guard let from = IPAddress(source), let to = IPAddress(destination), from.family == to.family else {
            preconditionFailure("\(source) and \(destination) are not two addresses of one family")
        }
        (self.source, self.destination) = (from, to)
        self.transport = transport
    }

    /// Bytes that differ from place to place and from `mark` to `mark`.
    package static func payload(_ count: Int, mark: Int = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ mark) }
    }

    package var packet: TestPacket {
        var segment = transportHeader + payload
        let isOwed = (owesChecksum || segmentSize > 0) && checksumOffset != nil
        if let offset = checksumOffset {
            let sum = Checksums.sum(segment, after: needsPseudoHeader ? pseudoHeader(segment.count) : [])
            let owed = Checksums.sum([], after: pseudoHeader(segment.count))
            let complete = transport == .udp && ~sum == 0 ? 0xffff : ~sum
            segment.replaceSubrange(offset..<(offset + 2), with: big(isOwed ? owed : complete))
        }
        let header = networkHeader(segment.count)
        var offload = Offload(
            needsChecksum: isOwed, checksumStart: isOwed ? UInt16(header.count) : 0,
            checksumOffset: isOwed ? UInt16(checksumOffset ?? 0) : 0)
        if segmentSize > 0 {
            offload.segmentation = transport == .udp ? .udp : .tcp
            offload.headerLength = UInt16(header.count + transportHeader.count)
            offload.segmentSize = UInt16(segmentSize)
        }
        return TestPacket(bytes: header + segment, offload: offload)
    }

    // MARK: Headers

    private func networkHeader(_ count: Int) -> [UInt8] { source.family == .v4 ? v4(count) : v6(count) }

    private func v4(_ count: Int) -> [UInt8] {
        let length = 20 + ipOptions.count
        var header = [0x40 | UInt8(length / 4), trafficClass] + big(UInt16(truncatingIfNeeded: length + count))
        header += big(identification) + big(fragment) + [timeToLive, number, 0, 0]
        header += Self.bytes(source) + Self.bytes(destination) + ipOptions
        header.replaceSubrange(10..<12, with: big(~Checksums.sum(header)))
        return header
    }

    private func v6(_ count: Int) -> [UInt8] {
        let numbers = extensionHeaders.map(\.number) + [number]
        var extensions: [UInt8] = []
        for (index, header) in extensionHeaders.enumerated() {
            extensions += [numbers[index + 1]] + header.bytes.dropFirst()
        }
        let first = UInt32(6) << 28 | UInt32(trafficClass) << 20 | flowLabel
        let length = UInt16(truncatingIfNeeded: extensions.count + count)
        return big(first) + big(length) + [numbers[0], timeToLive] + Self.bytes(source) + Self.bytes(destination)
            + extensions
    }

    private var number: UInt8 {
        switch transport {
        case .udp: 17
        case .tcp: 6
        case .icmp: source.family == .v4 ? 1 : 58
        case .other(let number): number
        }
    }

    /// With a checksum of zero.
    private var transportHeader: [UInt8] {
        switch transport {
        case .udp:
            return big(sourcePort) + big(destinationPort) + big(UInt16(truncatingIfNeeded: 8 + payload.count)) + [0, 0]
        case .tcp(let sequence, let acknowledgement, let flags, let options):
            return big(sourcePort) + big(destinationPort) + big(sequence) + big(acknowledgement)
                + [UInt8((20 + options.count) / 4) << 4, flags] + big(UInt16(500)) + [0, 0, 0, 0] + options
        case .icmp(let type, let code, let rest): return [type, code, 0, 0] + big(rest)
        case .other: return []
        }
    }

    private var checksumOffset: Int? {
        switch transport {
        case .udp: 6
        case .tcp: 16
        case .icmp: 2
        case .other: nil
        }
    }

    private var needsPseudoHeader: Bool {
        if case .icmp = transport { source.family == .v6 } else { true }
    }

    private func pseudoHeader(_ count: Int) -> [UInt8] {
        Self.bytes(source) + Self.bytes(destination) + big(UInt32(count)) + [0, 0, 0, number]
    }

    private static func bytes(_ address: IPAddress) -> [UInt8] {
        address.family == .v4 ? big(address.v4Bits) : big(address.high) + big(address.low)
    }
}

private func big<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
    stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> Number($0)) }
}
