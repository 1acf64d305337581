import Support

/// A packet spelled out field by field. Its bytes and all of its checksums are worked out from nothing, so that the
/// translated packet is the one with other addresses, and no code that is tested has a part in it.
struct Model {
    indirect enum Content {
        case tcp([UInt8])
        /// Without `isSummed` its checksum is 0, "none".
        case udp([UInt8], isSummed: Bool)
        /// UDP-Lite or DCCP: a checksum at 6 that counts as many bytes as there are.
        case like(UInt8, [UInt8])
        /// No error: an echo, or anything without a pseudo-header.
        case icmp(type: UInt8, [UInt8])
        /// An error that quotes so many bytes of a packet.
        case error(type: UInt8, Model, kept: Int)
        /// A protocol that counts no addresses.
        case other([UInt8])
    }

    /// An IPv6 extension header in front of the content.
    enum Extension {
        case options(UInt8, units: Int)
        case routing(segmentsLeft: UInt8)
    }

    var source: [UInt8]
    var destination: [UInt8]
    var content: Content
    var isIPv6: Bool { source.count == 16 }
    var ipOptions: [UInt8] = []
    var extensions: [Extension] = []
    var identification: UInt16 = 7
    /// As an offload leaves it: the pseudo-header's sum where the checksum has to be.
    var owesChecksum = false

    // MARK: Bytes

    var number: UInt8 {
        switch content {
        case .tcp: 6
        case .udp: 17
        case .like(let number, _): number
        case .icmp, .error: isIPv6 ? 58 : 1
        case .other: 47
        }
    }

    private var transport: [UInt8] {
        switch content {
        case .tcp(let data): [0x9c, 0x40, 1, 187, 0, 0, 3, 232, 0, 0, 0, 77, 0x50, 0x18, 1, 244, 0, 0, 0, 0] + data
        case .udp(let data, _), .like(_, let data): [0x9c, 0x40, 0, 53] + word(8 + data.count) + [0, 0] + data
        case .icmp(let type, let data): [type, 0, 0, 0, 0x12, 0x34, 0, 1] + data
        case .error(let type, let quoted, let kept): [type, 1, 0, 0, 0, 0, 0, 0] + quoted.bytes.prefix(kept)
        case .other(let data): data
        }
    }

    /// Where its checksum stands, from the transport header's start.
    var checksumOffset: Int? {
        switch content {
        case .tcp: 16
        case .udp(_, let isSummed): isSummed ? 6 : nil
        case .like: 6
        case .icmp, .error: 2
        case .other: nil
        }
    }

    var headerLength: Int { isIPv6 ? 40 + extensionBytes.count : 20 + ipOptions.count }

    private var extensionBytes: [UInt8] {
        var bytes: [UInt8] = []
        for (index, header) in extensions.enumerated() {
            let next = index + 1 < extensions.count ? extensions[index + 1].number : number
            switch header {
            case .options(_, let units):
                bytes += [next, UInt8(units - 1)] + [UInt8](repeating: 0, count: units * 8 - 2)
            case .routing(let left): bytes += [next, 2, 4, left, 0, 0, 0, 0] + [UInt8](repeating: 0xee, count: 16)
            }
        }
        return bytes
    }

    /// Whether the pseudo-header has the address in the routing header.
    private var isRouted: Bool {
        extensions.contains { if case .routing(let left) = $0 { left > 0 } else { false } }
    }

    private func pseudoHeader(_ length: Int) -> [UInt8] {
        let final = isRouted ? [UInt8](repeating: 0xee, count: 16) : destination
        return source + final + [0, 0] + word(length) + [0, 0, 0, number]
    }

    private func sum(_ transport: [UInt8]) -> UInt16 {
        let pseudoHeader = !isIPv6 && number == 1 ? [] : pseudoHeader(transport.count)
        guard !owesChecksum else { return ~PacketOracle.checksum(pseudoHeader) }
        let sum = PacketOracle.checksum(pseudoHeader + transport)
        let isNone = number == 17 || number == 136
        return sum == 0 && isNone ? 0xffff : sum
    }

    var bytes: [UInt8] {
        var transport = transport
        if let offset = checksumOffset {
            let sum = sum(transport)
            transport.replaceSubrange(offset..<offset + 2, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
        }
        guard !isIPv6 else {
            let next = extensions.first?.number ?? number
            return [0x60, 0, 0, 0] + word(extensionBytes.count + transport.count) + [next, 64] + source + destination
                + extensionBytes + transport
        }
        let length = 20 + ipOptions.count
        var header =
            [0x40 | UInt8(length / 4), 0] + word(length + transport.count) + word(Int(identification)) + [0x40, 0, 64]
            + [number, 0, 0] + source + destination + ipOptions
        let sum = PacketOracle.checksum(header)
        header.replaceSubrange(10..<12, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
        return header + transport
    }

    /// The packet in fragments, each of up to `size` bytes of payload.
    func fragments(_ size: Int) -> [[UInt8]] {
        let packet = bytes
        let payload = Array(packet[headerLength...])
        return stride(from: 0, to: payload.count, by: size).map { start in
            let part = Array(payload[start..<min(start + size, payload.count)])
            let more = start + size < payload.count
            if isIPv6 {
                var header = Array(packet[..<40])
                header.replaceSubrange(4..<6, with: word(extensionBytes.count + 8 + part.count))
                // Behind the other extension headers.
                var before = extensionBytes
                if before.isEmpty { header[6] = 44 } else { before[lastExtension] = 44 }
                return header + before + [number, 0] + word(start | (more ? 1 : 0)) + [0, 0, 0, 9] + part
            }
            var header = Array(packet[..<headerLength])
            header.replaceSubrange(2..<4, with: word(header.count + part.count))
            header.replaceSubrange(6..<8, with: word(start / 8 | (more ? 0x2000 : 0)))
            header.replaceSubrange(10..<12, with: [0, 0])
            let sum = PacketOracle.checksum(header)
            header.replaceSubrange(10..<12, with: [UInt8(sum >> 8), UInt8(sum & 0xff)])
            return header + part
        }
    }

    private var lastExtension: Int {
        extensions.dropLast().reduce(0) { $0 + $1.length }
    }
}

extension Model.Extension {
    var number: UInt8 {
        switch self {
        case .options(let number, _): number
        case .routing: 43
        }
    }

    var length: Int {
        switch self {
        case .options(_, let units): units * 8
        case .routing: 24
        }
    }
}

func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }
