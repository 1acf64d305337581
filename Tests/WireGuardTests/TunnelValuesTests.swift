import Testing
import WireGuard

/// The library's values: keys, endpoints, moments.
@Suite struct TunnelValuesTests {
    /// RFC 7748 §6.1: Alice's keys.
    private static let privateText = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
    private static let publicText = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="

    private static func text(_ key: borrowing Tunnel.PrivateKey) -> String {
        key.withBase64 { text in
            String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
        }
    }

    @Test func `a private key is read from text and bytes, and gives its public key`() throws {
        let key = try #require(Self.parsed(Self.privateText))
        #expect(key == Self.publicText)
        #expect(Tunnel.PublicKey(base64: Self.publicText)?.description == Self.publicText)
        #expect(Self.parsed(String(repeating: "A", count: 44)) == nil)
        for wrong in ["", "A", Self.privateText + "\n", String(Self.privateText.dropLast()), "!" + Self.privateText] {
            #expect(Self.parsed(wrong) == nil)
            #expect(Tunnel.PublicKey(wrong) == nil)
            let taken = Self.isKey(Tunnel.PresharedKey(base64: wrong))
            #expect(!taken)
        }
    }

    private static func isKey(_ key: consuming Tunnel.PresharedKey?) -> Bool { key != nil }

    /// The public key's text, by both ways in.
    private static func parsed(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        let second = Tunnel.PrivateKey(base64Bytes: bytes.span)?.publicKey
        let first = Tunnel.PrivateKey(base64: text)?.publicKey
        return first == second ? first?.base64 : "the two ways differ"
    }

    @Test func `a private key that was written is read again`() throws {
        let key = Tunnel.PrivateKey.generate()
        let publicKey = key.publicKey
        #expect(Tunnel.PrivateKey(base64: Self.text(key))?.publicKey == publicKey)
        let other = Tunnel.PrivateKey.generate().publicKey
        #expect(other != publicKey)
    }

    @Test func `nothing that prints a key prints a secret`() {
        let key = Tunnel.PrivateKey.generate()
        let text = Self.text(key)
        let tunnel = Tunnel(privateKey: key, wallTime: TunnelPair.date, at: TunnelPair.start)
        var output = ""
        dump(tunnel.publicKey, to: &output)
        output += String(describing: tunnel) + String(reflecting: tunnel)
        #expect(!output.contains(text))
    }

    @Test func `keys of raw bytes have 32 of them`() {
        for count in [0, 31, 33, 64] {
            let bytes = [UInt8](repeating: 7, count: count)
            #expect(Tunnel.PublicKey(bytes.span) == nil)
            #expect(Tunnel.PrivateKey(bytes.span)?.publicKey == nil)
            let taken = Self.isKey(Tunnel.PresharedKey(bytes.span))
            #expect(!taken)
        }
        let bytes = [UInt8](0..<32)
        #expect(Tunnel.PublicKey(bytes.span)?.bytes == bytes)
        #expect(Tunnel.PrivateKey(bytes.span)?.publicKey != nil)
    }

    @Test func `endpoints are read and written in their usual form`() {
        for text in ["192.0.2.1:51820", "[2001:db8::1]:1", "[fe80::1%3]:65535"] {
            #expect(Tunnel.Endpoint(text)?.description == text)
        }
        for text in ["", "192.0.2.1", "example.net:51820", "192.0.2.1:65536", "2001:db8::1:51820", "[fe80::1%eth0]:1"] {
            #expect(Tunnel.Endpoint(text) == nil)
        }
        let v6 = Tunnel.Endpoint("[fe80::1%3]:9")
        #expect(v6?.address == [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [1])
        #expect(v6?.scope == 3 && v6?.port == 9)
        for count in 0...20 {
            let address = [UInt8](repeating: 1, count: count)
            let endpoint = Tunnel.Endpoint(address: address.span, port: 1)
            #expect(endpoint?.address == ([4, 16].contains(count) ? address : nil))
        }
    }

    @Test func `moments and lengths of time add up, and stay within their range`() {
        let second = Tunnel.Instant(.seconds(1))
        #expect(second.nanoseconds == 1_000_000_000)
        #expect(second.advanced(by: .milliseconds(-400)).nanoseconds == 600_000_000)
        #expect(second.advanced(by: .seconds(-2)).nanoseconds == 0)
        #expect(second.duration(to: Tunnel.Instant(.seconds(3))) == .seconds(2))
        #expect(Tunnel.Instant(.seconds(3)).duration(to: second) == .seconds(-2))
        #expect(Tunnel.Instant(.seconds(-1)).nanoseconds == 0)
        let far = Tunnel.Instant(nanoseconds: .max)
        let allOfIt = Duration.nanoseconds(18_446_744_073) * 1_000_000_000 + .nanoseconds(709_551_615)
        #expect(far.advanced(by: .seconds(1)) == far)
        #expect(Tunnel.Instant(.seconds(Int64.max)) == far)
        #expect(Tunnel.Instant(nanoseconds: 0).duration(to: far) == allOfIt)
    }

    @Test func `dates carry their nanoseconds over`() {
        let date = Tunnel.WallTime(seconds: 5, nanoseconds: 2_500_000_000)
        #expect(date.seconds == 7 && date.nanoseconds == 500_000_000)
        #expect(Tunnel.WallTime(since1970: .milliseconds(7500)) == date)
        #expect(Tunnel.WallTime(seconds: 7) < date)
    }
}
