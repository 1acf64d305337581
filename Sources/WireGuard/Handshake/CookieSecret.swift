import Crypto
import Wire

/// What cookies are made with: 32 random bytes, new ones after 120 s (§5.4.7, P-3.4).
///
/// A cookie is a MAC of the sender's address and port (P-3.3): whoever shows it has received what we sent there.
struct CookieSecret: ~Copyable {
    static let cookieSize = 16

    private let entropy: Entropy
    private var secret: Secret
    private var made: Instant

    init(_ entropy: Entropy, _ now: Instant) {
        self.entropy = entropy
        secret = Secret(from: entropy)
        made = now
    }

    /// Writes the 16 bytes of the cookie of `source`.
    mutating func cookie(of source: Endpoint, into destination: UnsafeMutableRawPointer, _ now: Instant) {
        if now - made >= Protocol.cookieLifetime {
            secret = Secret(from: entropy)
            made = now
        }
        let size = source.address.family.byteCount
        unsafe withUnsafeTemporaryAllocation(byteCount: size + 2, alignment: 8) { bytes in
            let start = unsafe bytes.baseAddress.unsafelyUnwrapped
            unsafe source.address.store(to: start)
            unsafe start.storeBytes(of: source.port.bigEndian, toByteOffset: size, as: UInt16.self)
            unsafe BLAKE2s.mac(key: secret.buffer, UnsafeRawBufferPointer(bytes), into: destination)
        }
    }

    /// Whether mac2 at the end of a message is of someone who has the cookie of `source`. Constant time.
    mutating func verifiesMAC2(of message: UnsafeRawPointer, _ type: MessageType, from source: Endpoint, _ now: Instant)
        -> Bool
    {
        let offset = type == .initiation ? Initiation.mac2 : Response.mac2
        return unsafe withUnsafeTemporaryAllocation(byteCount: 2 * Self.cookieSize, alignment: 8) { bytes in
            let cookie = unsafe bytes.baseAddress.unsafelyUnwrapped
            let expected = unsafe cookie + Self.cookieSize
            unsafe self.cookie(of: source, into: cookie, now)
            unsafe BLAKE2s.mac(
                key: UnsafeRawBufferPointer(start: cookie, count: Self.cookieSize),
                UnsafeRawBufferPointer(start: message, count: offset), into: expected)
            return unsafe ConstantTime.equal(expected, message + offset, count: Self.cookieSize)
        }
    }
}
