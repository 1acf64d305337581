/// What a packet must look like, worked out byte by byte and independently of `Wire`.
package enum PacketOracle {
    /// The Internet checksum of RFC 1071 §4.1, in network order.
    package static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        var index = 0
        while index < bytes.count {
            let low = index + 1 < bytes.count ? bytes[index + 1] : 0
            sum += UInt32(bytes[index]) << 8 | UInt32(low)
            sum = (sum & 0xffff) + (sum >> 16)
            index += 2
        }
        return ~UInt16(sum)
    }

    /// The pseudo-header of a packet without extension headers, for a transport part of `length` bytes.
    package static func pseudoHeader(_ packet: [UInt8], length: Int) -> [UInt8] {
        let number = packet[0] >> 4 == 4 ? packet[9] : packet[6]
        let addresses = packet[0] >> 4 == 4 ? packet[12..<20] : packet[8..<40]
        let size = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        return addresses + size + [0, 0, 0, number]
    }

    package static func networkLength(_ packet: [UInt8]) -> Int {
        packet[0] >> 4 == 4 ? Int(packet[0] & 15) * 4 : 40
    }

    private static func checksumOffset(_ packet: [UInt8]) -> Int {
        let number = packet[0] >> 4 == 4 ? packet[9] : packet[6]
        return networkLength(packet) + (number == 6 ? 16 : 6)
    }

    private static func put(_ value: UInt16, _ offset: Int, _ packet: inout [UInt8]) {
        packet[offset] = UInt8(value >> 8)
        packet[offset + 1] = UInt8(value & 0xff)
    }

    private static func word(_ packet: [UInt8], _ offset: Int) -> Int {
        Int(packet[offset]) << 8 | Int(packet[offset + 1])
    }

    /// The packet with its IPv4 header checksum and its TCP or UDP checksum as they should be.
    package static func completed(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        let start = networkLength(packet)
        if packet[0] >> 4 == 4 {
            put(0, 10, &packet)
            put(checksum(Array(packet[..<start])), 10, &packet)
        }
        let offset = checksumOffset(packet)
        put(0, offset, &packet)
        let sum = checksum(pseudoHeader(packet, length: packet.count - start) + packet[start...])
        put(sum == 0 ? 0xffff : sum, offset, &packet)
        return packet
    }

    /// The packet as the kernel hands it over with a checksum owed: the pseudo-header's sum in the field.
    package static func owingChecksum(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        let start = networkLength(packet)
        put(~checksum(pseudoHeader(packet, length: packet.count - start)), checksumOffset(packet), &packet)
        return packet
    }

    /// What is wrong with a complete TCP or UDP packet; nil when it is sound.
    package static func fault(_ packet: [UInt8]) -> String? {
        guard packet.count >= 20 else { return "\(packet.count) bytes" }
        let start = networkLength(packet)
        if packet[0] >> 4 == 4 {
            guard word(packet, 2) == packet.count else { return "IPv4 total length \(word(packet, 2))" }
            guard checksum(Array(packet[..<start])) == 0 else { return "IPv4 header checksum" }
        } else {
            guard word(packet, 4) + 40 == packet.count else { return "IPv6 payload length \(word(packet, 4))" }
        }
        let isTCP = (packet[0] >> 4 == 4 ? packet[9] : packet[6]) == 6
        if !isTCP, word(packet, start + 4) != packet.count - start { return "UDP length" }
        if !isTCP, word(packet, start + 6) == 0 { return "no UDP checksum" }
        let sum = checksum(pseudoHeader(packet, length: packet.count - start) + packet[start...])
        return sum == 0 ? nil : "transport checksum"
    }

    /// A frame (virtio header and packet) taken apart into the packets that the kernel would make of it.
    ///
    /// Records nothing and trusts nothing: an inconsistency gives nil.
    package static func split(frame: [UInt8]) -> [[UInt8]]? {
        guard frame.count > 30 else { return nil }
        // struct virtio_net_hdr is in host order, which on all our machines is little-endian.
        func field(_ offset: Int) -> Int { Int(frame[offset]) | Int(frame[offset + 1]) << 8 }
        let packet = Array(frame[10...])
        let start = networkLength(packet)
        let isTCP = (packet[0] >> 4 == 4 ? packet[9] : packet[6]) == 6
        if frame[0] & 1 == 0 { return frame[1] == 0 ? [packet] : nil }

        guard field(6) == start, field(8) == (isTCP ? 16 : 6) else { return nil }
        let owed = owingChecksum(packet)
        guard owed[checksumOffset(packet)] == packet[checksumOffset(packet)],
            owed[checksumOffset(packet) + 1] == packet[checksumOffset(packet) + 1]
        else { return nil }
        if packet[0] >> 4 == 4, checksum(Array(packet[..<start])) != 0 { return nil }
        if frame[1] == 0 { return [completed(packet)] }

        let kind: UInt8 = isTCP ? (packet[0] >> 4 == 4 ? 1 : 4) : 5
        let header = start + (isTCP ? Int(packet[start + 12] >> 4) * 4 : 8)
        guard frame[1] & 0x7f == kind, field(2) == header, field(4) > 0 else { return nil }
        return cut(packet, header: header, size: field(4))
    }

    /// The segments of a super-packet: each a copy of the headers, a piece of payload and what changes with them.
    package static func cut(_ packet: [UInt8], header: Int, size: Int) -> [[UInt8]] {
        let start = networkLength(packet)
        let isTCP = (packet[0] >> 4 == 4 ? packet[9] : packet[6]) == 6
        let payload = Array(packet[header...])
        let pieces = stride(from: 0, to: payload.count, by: size).map {
            Array(payload[$0..<min($0 + size, payload.count)])
        }
        return pieces.enumerated().map { index, piece in
            var segment = Array(packet[..<header]) + piece
            if packet[0] >> 4 == 4 {
                put(UInt16(segment.count), 2, &segment)
                put(UInt16(truncatingIfNeeded: word(packet, 4) + index), 4, &segment)
            } else {
                put(UInt16(segment.count - 40), 4, &segment)
            }
            if isTCP {
                let first = UInt32(word(packet, start + 4)) << 16 | UInt32(word(packet, start + 6))
                let sequence = first &+ UInt32(index * size)
                put(UInt16(sequence >> 16), start + 4, &segment)
                put(UInt16(truncatingIfNeeded: sequence), start + 6, &segment)
                if index < pieces.count - 1 { segment[start + 13] &= ~0x09 }  // FIN, PSH
                if index > 0 { segment[start + 13] &= ~0x80 }  // CWR
            } else {
                put(UInt16(segment.count - start), start + 4, &segment)
            }
            return completed(segment)
        }
    }
}
