import Crypto
import Glibc
import Linux
import Wire

/// The meaning of the UAPI's values; EINVAL for what has none (P-8.14).
package struct UAPIValues: Sendable {
    let scope: @Sendable (String) -> UInt32?

    /// The number of an interface of this network namespace.
    @Sendable package static func systemScope(_ name: String) -> UInt32? {
        let index = unsafe if_nametoindex(name)
        return index == 0 ? nil : index
    }

    func number<Number: FixedWidthInteger & UnsignedInteger>(_ value: UAPILine) throws(Errno) -> Number {
        guard let number: Number = value.number() else { throw Errno(EINVAL) }
        return number
    }

    func requireTrue(_ value: UAPILine) throws(Errno) {
        guard value.isTrue else { throw Errno(EINVAL) }
    }

    /// There has only ever been one (P-8.12).
    func requireVersion(_ value: UAPILine) throws(Errno) {
        guard value.isOne else { throw Errno(EINVAL) }
    }

    func privateKey(_ value: UAPILine) throws(Errno) -> DeviceChange.Key {
        guard let secret = value.secret() else { throw Errno(EINVAL) }
        return secret.isZero ? .remove : .set(Shared(PrivateKey(clamping: secret)))
    }

    func presharedKey(_ value: UAPILine) throws(Errno) -> Shared<PresharedKey> {
        guard let secret = value.secret() else { throw Errno(EINVAL) }
        return Shared(PresharedKey(secret))
    }

    /// Any 32 bytes: a key of low order can be configured (P-2.4).
    func publicKey(_ value: UAPILine) throws(Errno) -> PublicKey {
        guard let key = PublicKey(hex: value.text) else { throw Errno(EINVAL) }
        return key
    }

    /// `192.0.2.1:51820`, `[2001:db8::1]:51820`, `[fe80::1%eth0]:51820`: no names at this layer (P-8.9).
    func endpoint(_ value: UAPILine) throws(Errno) -> Endpoint {
        let text = value.text
        if let endpoint = Endpoint(text) { return endpoint }
        guard let percent = text.firstIndex(of: "%"), let bracket = text[percent...].firstIndex(of: "]"),
            let scope = scope(String(text[text.index(after: percent)..<bracket])),
            var endpoint = Endpoint(text[..<percent] + text[bracket...])
        else { throw Errno(EINVAL) }
        endpoint.scope = scope
        return endpoint
    }

    /// `10.0.0.0/8`, or `-10.0.0.0/8` for one that is taken away (P-8.11).
    func allowedIP(_ value: UAPILine) throws(Errno) -> PeerChange.AllowedIP {
        let text = value.text
        let isRemoval = text.hasPrefix("-")
        let written = isRemoval ? text.dropFirst() : text[...]
        guard written.contains("/"), let prefix = Prefix(written) else { throw Errno(EINVAL) }
        return PeerChange.AllowedIP(prefix, isRemoval: isRemoval)
    }
}
