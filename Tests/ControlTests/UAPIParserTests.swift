import Crypto
import Glibc
import Linux
import Support
import Testing
import Wire

@testable import Control

/// P-8: what a client may write, and what it gets for anything else.
@Suite struct UAPIParserTests {
    static let key = String(repeating: "0a", count: 32)
    static let otherKey = String(repeating: "b", count: 64)
    static let zeros = String(repeating: "0", count: 64)

    static func change(_ lines: String...) -> DeviceChange? {
        let text = "set=1\n" + lines.map { $0 + "\n" }.joined() + "\n"
        guard case .set(let change)? = UAPIParser.operations(in: Array(text.utf8)).first else { return nil }
        return change
    }

    static func error(_ text: String) -> CInt? {
        guard case .refused(let error)? = UAPIParser.operations(in: Array(text.utf8)).first else { return nil }
        return error.rawValue
    }

    /// P-8.14: what is no line is EPROTO, what has no meaning EINVAL.
    static let refused: [(id: String, text: String, error: CInt)] = [
        ("P-8.14 no '='", "set=1\nlisten_port\n\n", EPROTO),
        ("P-8.14 no '=' at first", "hello\n\n", EPROTO),
        ("P-8.14 unknown operation", "put=1\n\n", EINVAL),
        ("P-8.14 another version", "set=2\n\n", EINVAL),
        ("P-8.14 lines after get", "get=1\nlisten_port=1\n\n", EINVAL),
        ("P-8.14 unknown key", "set=1\nlisten_prot=1\n\n", EINVAL),
        ("P-8.14 unknown key of a peer", "set=1\npublic_key=\(key)\ncolour=red\n\n", EINVAL),
        ("P-8.13 keys of get", "set=1\npublic_key=\(key)\nrx_bytes=1\n\n", EINVAL),
        ("P-8.14 a key of the interface below a peer", "set=1\npublic_key=\(key)\nlisten_port=1\n\n", EINVAL),
        ("P-8.14 a peer's key above all peers", "set=1\nendpoint=1.2.3.4:5\n\n", EINVAL),
        ("P-8.1 a key too short", "set=1\nprivate_key=\(key.dropLast())\n\n", EINVAL),
        ("P-8.1 a key too long", "set=1\nprivate_key=\(key)0\n\n", EINVAL),
        ("P-8.1 no hexadecimal", "set=1\nprivate_key=\(key.dropLast())g\n\n", EINVAL),
        ("P-8.1 no key at all", "set=1\nprivate_key=\n\n", EINVAL),
        ("P-8.2 a port too large", "set=1\nlisten_port=65536\n\n", EINVAL),
        ("P-8.2 a sign", "set=1\nlisten_port=+1\n\n", EINVAL),
        ("P-8.2 negative", "set=1\nlisten_port=-1\n\n", EINVAL),
        ("P-8.2 a blank", "set=1\nlisten_port= 1\n\n", EINVAL),
        ("P-8.2 empty", "set=1\nlisten_port=\n\n", EINVAL),
        ("P-8.3 a mark too large", "set=1\nfwmark=4294967296\n\n", EINVAL),
        ("P-8.3 a mark that overflows everything", "set=1\nfwmark=99999999999999999999999\n\n", EINVAL),
        ("P-8.4 replace_peers=false", "set=1\nreplace_peers=false\n\n", EINVAL),
        ("P-8.5 no public key", "set=1\npublic_key=zz\n\n", EINVAL),
        ("P-8.6 remove=1", "set=1\npublic_key=\(key)\nremove=1\n\n", EINVAL),
        ("P-8.7 update_only=false", "set=1\npublic_key=\(key)\nupdate_only=false\n\n", EINVAL),
        ("P-8.8 a preshared key too short", "set=1\npublic_key=\(key)\npreshared_key=00\n\n", EINVAL),
        ("P-8.9 a name", "set=1\npublic_key=\(key)\nendpoint=example.net:1\n\n", EINVAL),
        ("P-8.9 no port", "set=1\npublic_key=\(key)\nendpoint=192.0.2.1\n\n", EINVAL),
        ("P-8.9 IPv6 without brackets", "set=1\npublic_key=\(key)\nendpoint=2001:db8::1:1\n\n", EINVAL),
        ("P-8.9 an interface that is not there", "set=1\npublic_key=\(key)\nendpoint=[fe80::1%no]:1\n\n", EINVAL),
        ("P-8.10 too long", "set=1\npublic_key=\(key)\npersistent_keepalive_interval=65536\n\n", EINVAL),
        ("P-8.10 off", "set=1\npublic_key=\(key)\npersistent_keepalive_interval=off\n\n", EINVAL),
        ("P-8.11 replace_allowed_ips=yes", "set=1\npublic_key=\(key)\nreplace_allowed_ips=yes\n\n", EINVAL),
        ("P-8.11 no length", "set=1\npublic_key=\(key)\nallowed_ip=10.0.0.0\n\n", EINVAL),
        ("P-8.11 too long a prefix", "set=1\npublic_key=\(key)\nallowed_ip=10.0.0.0/33\n\n", EINVAL),
        ("P-8.11 two signs", "set=1\npublic_key=\(key)\nallowed_ip=--10.0.0.0/8\n\n", EINVAL),
        ("P-8.12 another version", "set=1\npublic_key=\(key)\nprotocol_version=2\n\n", EINVAL),
        ("P-8.16 the end is missing", "set=1\nlisten_port=1\n", EPROTO),
        ("P-8.16 half a line is missing", "set=1\nlisten_port=1", EPROTO),
        ("a line beyond the bound", "set=1\nfwmark=" + String(repeating: "0", count: 2000) + "\n\n", EINVAL),
        ("no line at all", String(repeating: "x", count: 5000), EPROTO),
    ]

    @Test(arguments: refused.indices) func whatCannotBeIsRefused(index: Int) {
        let row = Self.refused[index]
        #expect(Self.error(row.text) == row.error, "\(row.id)")
    }

    @Test func anErrorEndsWithItsOperation() {
        let text = "set=1\nnonsense\nlisten_port=x\n\nget=1\n\nset=1\nfwmark=7\n\n"
        let operations = UAPIParser.operations(in: Array(text.utf8))
        #expect(operations.count == 3)
        guard case .refused(Errno(EPROTO)) = operations[0], case .get = operations[1],
            case .set(let change) = operations[2]
        else { return #expect(Bool(false), "\(operations)") }
        #expect(change.fwmark == 7 && change.listenPort == nil, "nothing of what was refused is left over")
    }

    // MARK: What is understood

    @Test func p8_1_aPrivateKeyIsClampedAndZerosRemoveIt() throws {
        guard case .set(let key)? = Self.change("private_key=" + String(repeating: "ff", count: 32))?.privateKey else {
            return #expect(Bool(false))
        }
        let clamped = "f8" + String(repeating: "ff", count: 30) + "7f"
        #expect(key.value.withText(.hex) { unsafe String(decoding: $0, as: UTF8.self) } == clamped)
        guard case .remove? = Self.change("private_key=\(Self.zeros)")?.privateKey else { return #expect(Bool(false)) }
        #expect(Self.change("fwmark=0")?.privateKey == nil)
    }

    @Test func p8_2toP8_4_theInterface() throws {
        let change = try #require(Self.change("listen_port=51820", "fwmark=4294967295", "replace_peers=true"))
        #expect(change.listenPort == 51820 && change.fwmark == .max && change.replacesPeers && change.peers.isEmpty)
        let zero = try #require(Self.change("listen_port=0", "fwmark=0"))
        #expect(zero.listenPort == 0 && zero.fwmark == 0 && !zero.replacesPeers)
        let nothing = try #require(Self.change())
        #expect(nothing.listenPort == nil && nothing.fwmark == nil)
    }

    @Test func p8_5toP8_12_peers() throws {
        let change = try #require(
            Self.change(
                "public_key=\(Self.key)", "update_only=true", "preshared_key=\(Self.otherKey)",
                "endpoint=192.0.2.1:51820", "persistent_keepalive_interval=25", "protocol_version=1",
                "replace_allowed_ips=true", "allowed_ip=10.1.2.3/8", "allowed_ip=-fd00::/64",
                "public_key=\(Self.otherKey)", "remove=true", "public_key=\(Self.zeros)"))
        #expect(change.peers.map(\.publicKey.hex) == [Self.key, Self.otherKey, Self.zeros])
        let first = change.peers[0]
        #expect(first.isUpdateOnly && !first.isRemoval && first.replacesAllowedIPs)
        #expect(first.endpoint == Endpoint("192.0.2.1:51820") && first.persistentKeepalive == 25)
        #expect(first.presharedKey?.value.isAbsent == false)
        let ten = try #require(Prefix("10.0.0.0/8"))
        let fd = try #require(Prefix("fd00::/64"))
        #expect(first.allowedIPs == [.init(ten), .init(fd, isRemoval: true)], "P-7.2, P-7.5")
        #expect(change.peers[1].isRemoval && change.peers[2].presharedKey == nil)
    }

    @Test func p8_8_zerosAreAKeyThatIsAbsent() throws {
        let change = try #require(Self.change("public_key=\(Self.key)", "preshared_key=\(Self.zeros)"))
        #expect(change.peers[0].presharedKey?.value.isAbsent == true)
    }

    @Test func p8_9_endpoints() throws {
        let six = try #require(Self.change("public_key=\(Self.key)", "endpoint=[2001:db8::1]:1"))
        #expect(six.peers[0].endpoint == Endpoint("[2001:db8::1]:1"))
        let byNumber = try #require(Self.change("public_key=\(Self.key)", "endpoint=[fe80::1%7]:1"))
        #expect(byNumber.peers[0].endpoint?.scope == 7)
        let byName = try #require(Self.change("public_key=\(Self.key)", "endpoint=[fe80::1%lo]:1"))
        #expect(byName.peers[0].endpoint?.scope == UAPIValues.systemScope("lo"))
    }

    /// P-8.11: what was said in a section before it does not count any more.
    @Test func p8_11_replacingForgetsWhatStandsAbove() throws {
        let change = try #require(
            Self.change(
                "public_key=\(Self.key)", "allowed_ip=10.0.0.0/8", "replace_allowed_ips=true", "allowed_ip=0.0.0.0/0"))
        #expect(change.peers[0].allowedIPs.map(\.prefix.description) == ["0.0.0.0/0"])
    }

    /// The kernel's and `wg`'s limits, and those of N-33.
    /// N-33, S-15.
    @Test func n33_manyLinesAreNoMoreThanMany() throws {
        var text = "set=1\npublic_key=\(Self.key)\n"
        for number in 0..<(255 * 256) {
            text +=
                "allowed_ip=10.\(number >> 8).\(number & 255).0/24\nallowed_ip=fd00:\(String(number, radix: 16))::/32\n"
        }
        for number in 0..<24_000 {
            text += "public_key=\(Self.key.dropLast(6))\(String(100_000 + number))\nallowed_ip=11.0.0.0/32\n"
        }
        let operations = UAPIParser.operations(in: Array((text + "\n").utf8))
        guard case .set(let change)? = operations.first else { return #expect(Bool(false)) }
        #expect(change.peers.count == 24_001 && change.peers[0].allowedIPs.count == 2 * 255 * 256)
    }

    // MARK: However it arrives

    @Test func theWayItIsCutDoesNotMatter() {
        let text = Array(
            "set=1\nprivate_key=\(Self.key)\npublic_key=\(Self.otherKey)\nallowed_ip=10.0.0.0/8\n\nget=1\n\n".utf8)
        for size in 1...text.count {
            var parser = UAPIParser()
            var seen: [String] = []
            for start in stride(from: 0, to: text.count, by: size) {
                unsafe text[start..<min(start + size, text.count)].withUnsafeBytes { bytes in
                    unsafe parser.feed(bytes) {
                        switch $0 {
                        case .get: seen.append("get")
                        case .set(let change): seen.append("set \(change.peers[0].allowedIPs.count)")
                        case .refused: seen.append("refused")
                        }
                    }
                }
            }
            #expect(seen == ["set 1", "get"], "in pieces of \(size)")
            #expect(parser.finish() == nil)
        }
    }

    /// Any bytes whatever: an answer, and never a crash.
    /// S-14.
    @Test func noiseIsOnlyNoise() {
        var random = SeededGenerator(seed: 8)
        let words = [
            "set=1", "get=1", "\n", "\n", "\n\n", "=", "private_key=", "public_key=", Self.key, Self.zeros, "endpoint=",
            "[fe80::1%", "]:1", "1.2.3.4:", "allowed_ip=", "-", "10.0.0.0/8", "::/0", "listen_port=", "65535",
            "remove=true",
            "replace_peers=true", "\u{0}", "é", "preshared_key=",
        ]
        for _ in 0..<5_000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<24, using: &random) {
                text += Array(words.randomElement(using: &random)?.utf8 ?? "".utf8)
                if Int.random(in: 0..<8, using: &random) == 0 { text.append(UInt8.random(in: 0...255, using: &random)) }
            }
            _ = UAPIParser.operations(in: text)
        }
    }
}
