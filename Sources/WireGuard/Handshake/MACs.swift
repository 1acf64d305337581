import Crypto
import Wire

/// The key of one side's mac1: a hash of a label and the side's public key (§5.4.4).
@safe struct MACKey: Sendable {
    static let size = 16
    private let key: BLAKE2sMACKey

    init(_ publicKey: PublicKey) {
        key = unsafe Digest(label: Protocol.labelMAC1, publicKey).withBytes { unsafe BLAKE2sMACKey($0) }
    }

    /// Writes the 16 bytes of the MAC over `count` bytes at `message`.
    func write(over message: UnsafeRawPointer, _ count: Int, to destination: UnsafeMutableRawPointer) {
        unsafe key.authenticate(UnsafeRawBufferPointer(start: message, count: count), into: destination)
    }

    /// Constant time.
    func verifies(_ mac: UnsafeRawPointer, over message: UnsafeRawPointer, _ count: Int) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.size, alignment: 8) { expected in
            let expected = unsafe expected.baseAddress.unsafelyUnwrapped
            unsafe write(over: message, count, to: expected)
            return unsafe ConstantTime.equal(expected, mac, count: Self.size)
        }
    }
}

/// The two MACs at the end of our handshake messages to one peer, and the cookie that it gave us (P-3.1…P-3.8).
@safe final class OutgoingMACs {
    private let mac1Key: MACKey
    /// What cookies for us are sealed with (§5.4.7).
    private let cookieKey: Digest
    /// The last mac1 sent, to which a cookie reply must refer; nil once one has answered it (P-3.7).
    private var lastMAC1: SIMD16<UInt8>?
    private var cookie: (value: SIMD16<UInt8>, received: Instant)?

    init(peer: PublicKey) {
        mac1Key = MACKey(peer)
        cookieKey = Digest(label: Protocol.labelCookie, peer)
    }

    /// Fills in mac1 at `offset` of the message and mac2 behind it: zeros unless a fresh cookie is at hand (P-3.2).
    func seal(_ message: UnsafeMutableRawPointer, mac1 offset: Int, _ now: Instant) {
        unsafe mac1Key.write(over: message, offset, to: message + offset)
        unsafe lastMAC1 = message.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
        let mac2 = unsafe message + offset + MACKey.size
        if let cookie, now - cookie.received < Protocol.cookieLifetime - Protocol.cookieLatency {
            unsafe withUnsafeBytes(of: cookie.value) { key in
                unsafe BLAKE2s.mac(
                    key: key, UnsafeRawBufferPointer(start: message, count: offset + MACKey.size), into: mac2)
            }
        } else {
            unsafe mac2.storeBytes(of: SIMD16<UInt8>(), as: SIMD16<UInt8>.self)
        }
    }

    /// Takes the cookie out of a cookie reply of full length; false when it answers nothing or is forged.
    func consume(cookieReply message: UnsafeRawPointer, _ now: Instant) -> Bool {
        guard let lastMAC1 else { return false }
        var value = SIMD16<UInt8>()
        let authentic = unsafe withUnsafeMutableBytes(of: &value) { value in
            unsafe withUnsafeBytes(of: lastMAC1) { mac1 in
                unsafe cookieKey.withBytes { key in
                    unsafe XChaCha20Poly1305.open(
                        key: key.baseAddress.unsafelyUnwrapped, nonce: message + CookieReply.nonce,
                        UnsafeRawBufferPointer(start: message + CookieReply.encryptedCookie, count: 32),
                        additionalData: mac1, into: value.baseAddress.unsafelyUnwrapped)
                }
            }
        }
        guard authentic else { return false }
        cookie = (value, now)
        self.lastMAC1 = nil
        return true
    }
}
