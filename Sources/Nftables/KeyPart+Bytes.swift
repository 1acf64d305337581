import Wire

extension KeyType {
    /// nft's number for the type (`enum datatypes`, its include/datatype.h), by which it knows how to write elements.
    var number: UInt32 {
        switch self {
        case .v4: 7
        case .v6: 8
        case .transport: 12
        case .port: 13
        case .mark: 19
        case .interface: 41
        }
    }

    /// Bytes of a value.
    var length: Int {
        switch self {
        case .interface: InterfacePattern.nameSize
        case .v4, .mark: 4
        case .v6: 16
        case .transport: 1
        case .port: 2
        }
    }

    /// The length in a key of several fields, each of which begins at a register of 32 bits.
    var paddedLength: Int { (length + 3) & ~3 }

    /// Whether values are in host order, as nft writes it down for itself.
    var isHostOrder: Bool { self == .interface || self == .mark }
}

extension KeyPart {
    /// The first and the last value that it stands for, as the kernel compares them: in network order, names filled up with
    /// zeros, marks in host order.
    var bounds: (low: [UInt8], high: [UInt8]) {
        switch self {
        case .interface(let pattern):
            let name = Array(pattern.name.utf8)
            let rest = InterfacePattern.nameSize - name.count
            let last: UInt8 = pattern.isPrefix ? 0xff : 0
            return (name + Array(repeating: 0, count: rest), name + Array(repeating: last, count: rest))
        case .prefix(let prefix):
            let low = prefix.address.bytes
            let mask = prefix.mask
            return (low, zip(low, mask).map { $0 | ~$1 })
        case .transport(let transport): return ([transport.rawValue], [transport.rawValue])
        case .ports(let ports): return (ports.lowerBound.networkBytes, ports.upperBound.networkBytes)
        case .mark(let mark): return (mark.hostBytes, mark.hostBytes)
        }
    }
}

extension [KeyPart] {
    /// As of one part; of several, each is filled up to whole registers.
    var bounds: (low: [UInt8], high: [UInt8]) {
        guard count > 1 else { return self.first?.bounds ?? ([], []) }
        var (low, high): ([UInt8], [UInt8]) = ([], [])
        for part in self {
            let bounds = part.bounds
            let padding = [UInt8](repeating: 0, count: part.type.paddedLength - part.type.length)
            low += bounds.low + padding
            high += bounds.high + padding
        }
        return (low, high)
    }
}

extension IPAddress {
    /// 4 or 16 bytes in network order.
    var bytes: [UInt8] {
        switch family {
        case .v4: v4Bits.networkBytes
        case .v6: high.networkBytes + low.networkBytes
        }
    }
}

extension Prefix {
    /// Ones where the address counts.
    var mask: [UInt8] {
        (0..<family.byteCount).map { byte in
            let ones = min(max(length - byte * 8, 0), 8)
            return ones == 0 ? 0 : UInt8.max << UInt8(8 - ones)
        }
    }
}

extension FixedWidthInteger {
    var networkBytes: [UInt8] {
        let count = Self.bitWidth / 8
        return (0..<count).map { UInt8(truncatingIfNeeded: self >> Self((count - 1 - $0) * 8)) }
    }
}

extension UInt32 {
    var hostBytes: [UInt8] { bigEndian.networkBytes }
}
