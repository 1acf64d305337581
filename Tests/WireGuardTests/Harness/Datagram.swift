import Wire

@testable import WireGuard

/// One UDP datagram on the virtual wire.
struct Datagram: Equatable {
    var bytes: [UInt8]
    var source: Endpoint
    var destination: Endpoint

    var type: MessageType? {
        unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return nil }
            return unsafe MessageType(at: start, count: bytes.count)
        }
    }

    var isKeepalive: Bool { type == .data && bytes.count == DataMessage.overhead }
}

extension [UInt8] {
    /// The little-endian integer at `offset`.
    func word(_ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << UInt32(8 * $1) }
    }

    init(hex: String) {
        self = stride(from: 0, to: hex.count, by: 2).compactMap { position in
            let start = hex.index(hex.startIndex, offsetBy: position)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
        }
    }

    var hex: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
