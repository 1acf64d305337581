import Wire

/// The Internet checksum of RFC 1071, and whether a packet's are right, worked out independently of `Wire`.
enum Checksums {
    /// The folded sum of 16-bit words, not complemented; an odd last byte stands for a word.
    static func sum(_ bytes: [UInt8], after first: [UInt8] = []) -> UInt16 {
        var sum: UInt32 = 0
        for part in [first, bytes] {
            for index in stride(from: 0, to: part.count, by: 2) {
                sum += UInt32(part[index]) << 8 | (index + 1 < part.count ? UInt32(part[index + 1]) : 0)
                sum = (sum & 0xffff) + (sum >> 16)
            }
        }
        return UInt16(sum)
    }
}

extension TestPacket {
    /// What is wrong with the packet's lengths and checksums; nil when it is sound. IPv6 extension headers are not looked
    /// behind.
    package var fault: String? {
        guard bytes.count >= 20, [4, 6].contains(version) else { return "\(bytes.count) bytes that are no IP packet" }
        let start = version == 4 ? Int(bytes[0] & 15) * 4 : 40
        guard start >= 20, bytes.count >= start else { return "an IP header that reaches out of the packet" }
        let length = version == 4 ? word(2) : word(4) + 40
        guard length == bytes.count else { return "an IP length of \(length) in a packet of \(bytes.count)" }
        if version == 4, Checksums.sum(Array(bytes[..<start])) != 0xffff { return "a wrong IPv4 header checksum" }
        if version == 4, word(6) & 0x1fff != 0 { return nil }  // not a fragment's, which has no transport header
        return transportFault(start)
    }

    private func transportFault(_ start: Int) -> String? {
        let number = version == 4 ? bytes[9] : bytes[6]
        let offsets: [UInt8: Int] = version == 4 ? [6: 16, 17: 6, 1: 2] : [6: 16, 17: 6, 58: 2]
        guard let offset = offsets[number] else { return nil }
        let transport = Array(bytes[start...])
        guard transport.count >= offset + 2 else { return "no room for a transport header" }
        if version == 4, word(6) & 0x2000 != 0 { return nil }  // the first fragment: the checksum is of more than this
        if number == 17, word(start + 4) != transport.count { return "a UDP length of \(word(start + 4))" }
        let addresses = version == 4 ? bytes[12..<20] : bytes[8..<40]
        let size = UInt32(transport.count)
        let pseudo =
            number == 1
            ? [] : addresses + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: size >> $0) } + [0, 0, 0, number]
        let stands = word(start + offset)
        if offload.needsChecksum {
            return stands == Int(Checksums.sum(pseudo)) ? nil : "a wrong sum of the pseudo-header"
        }
        if number == 17, version == 4, stands == 0 { return nil }  // RFC 768: none was computed
        return Checksums.sum(transport, after: pseudo) == 0xffff ? nil : "a wrong transport checksum"
    }

    private func word(_ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }
}
