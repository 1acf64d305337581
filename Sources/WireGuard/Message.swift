/// The four messages on the wire (§5.4 of the paper, P-1.3…P-1.6): where each field stands. Integers are little-endian.
package enum MessageType: UInt32, Sendable {
    // The type byte and three reserved zero bytes, read as one integer: anything else is no message of ours.
    case initiation = 1
    case response = 2
    case cookieReply = 3
    case data = 4

    /// The type of a datagram of `count` bytes, nil when the type is unknown or the length not one that it can have.
    package init?(at bytes: UnsafeRawPointer, count: Int) {
        guard count >= 4, let type = unsafe MessageType(rawValue: littleEndian32(bytes, 0)) else { return nil }
        switch type {
        case .initiation: guard count == Initiation.size else { return nil }
        case .response: guard count == Response.size else { return nil }
        case .cookieReply: guard count == CookieReply.size else { return nil }
        case .data: guard count >= DataMessage.overhead else { return nil }
        }
        self = type
    }
}

package enum Initiation {
    package static let size = 148
    static let sender = 4
    static let ephemeral = 8
    static let encryptedStatic = 40
    static let encryptedTimestamp = 88
    static let mac1 = 116
    static let mac2 = 132

    /// Whether an initiation of full length carries a mac2, which shows a cookie if it is true (P-3.2).
    package static func hasMAC2(_ message: UnsafeRawPointer) -> Bool {
        unsafe message.loadUnaligned(fromByteOffset: mac2, as: SIMD16<UInt8>.self) != SIMD16()
    }
}

package enum Response {
    package static let size = 92
    static let sender = 4
    static let receiver = 8
    static let ephemeral = 12
    static let encryptedNothing = 44
    static let mac1 = 60
    static let mac2 = 76
}

package enum CookieReply {
    package static let size = 64
    static let receiver = 4
    static let nonce = 8
    static let encryptedCookie = 32
}

package enum DataMessage {
    static let receiver = 4
    static let counter = 8
    /// Bytes in front of the ciphertext.
    package static let headerSize = 16
    /// Header and tag: the size of a keepalive (P-4.7).
    package static let overhead = 32

    /// The receiver index of a message of type 2, 3 or 4 that has its full length.
    package static func receiverIndex(at bytes: UnsafeRawPointer, type: MessageType) -> UInt32 {
        unsafe littleEndian32(bytes, type == .response ? Response.receiver : receiver)
    }

    /// The counter of a data message.
    package static func counter(at bytes: UnsafeRawPointer) -> UInt64 { unsafe littleEndian64(bytes, counter) }
}

@inlinable func littleEndian32(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
}

@inlinable func littleEndian64(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}

@inlinable func store(_ value: UInt32, _ bytes: UnsafeMutableRawPointer, _ offset: Int) {
    unsafe bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
}

@inlinable func store(_ value: UInt64, _ bytes: UnsafeMutableRawPointer, _ offset: Int) {
    unsafe bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
}
