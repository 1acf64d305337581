import Support
import Testing

@testable import Crypto

/// RFC 7693's examples, WireGuard's constants, HMAC and the key derivation.
@Suite struct BLAKE2sTests {
    @Test("RFC 7693 appendix B: abc")
    func abc() {
        #expect(
            blake2s(Array("abc".utf8)) == hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"))
    }

    @Test("RFC 7693 appendix E: the hash over hashes of all sizes, with and without a key")
    func selfTest() {
        /// Appendix E's Fibonacci generator.
        func sequence(_ count: Int, _ seed: UInt32) -> [UInt8] {
            var a = 0xdead_4bad &* seed
            var b: UInt32 = 1
            return (0..<count).map { _ in
                (a, b) = (b, a &+ b)
                return UInt8(b >> 24)
            }
        }
        var hashes: [UInt8] = []
        for outputSize in [16, 20, 28, 32] {
            for count in [0, 3, 64, 65, 255, 1024] {
                let message = sequence(count, UInt32(count))
                hashes += blake2s(message, outputSize: outputSize)
                hashes += blake2s(message, key: sequence(outputSize, UInt32(outputSize)), outputSize: outputSize)
            }
        }
        #expect(blake2s(hashes) == hex("6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe"))
    }

    @Test("The pieces a message comes in make no difference", arguments: [1, 3, 63, 64, 65, 128, 200])
    func pieces(size: Int) {
        var random = SeededGenerator(seed: 4)
        for count in [0, 1, 63, 64, 65, 127, 128, 129, 500] {
            let message = random.bytes(count)
            let key = random.bytes(32)
            let incremental = [UInt8](count: 16) { output in
                key.lend { key in
                    var state = unsafe BLAKE2s(key: key, outputSize: 16)
                    for start in stride(from: 0, to: count, by: size) {
                        Array(message[start..<min(start + size, count)]).lend { unsafe state.update($0) }
                    }
                    unsafe state.finish(into: output)
                }
            }
            #expect(incremental == blake2s(message, key: key, outputSize: 16), "\(count)")
        }
    }

    @Test("The one-shot forms hash their parts as one message")
    func oneShot() {
        let parts = [Array("label---".utf8), [UInt8](0..<32), [UInt8](100..<170)]
        let key = [UInt8](0..<16)
        let hash = [UInt8](count: 32) { output in
            parts[0].lend { first in
                parts[1].lend { second in
                    parts[2].lend { third in unsafe BLAKE2s.hash(first, second, third, into: output) }
                }
            }
        }
        #expect(hash == blake2s(Array(parts.joined())))
        let mac = [UInt8](count: 16) { output in
            key.lend { key in
                parts[0].lend { first in
                    parts[1].lend { second in unsafe BLAKE2s.mac(key: key, first, second, into: output) }
                }
            }
        }
        #expect(mac == blake2s(parts[0] + parts[1], key: key, outputSize: 16))
    }

    @Test("A MAC key that is used again and again gives what BLAKE2s under the key gives", arguments: [1, 16, 31, 32])
    func macKey(size: Int) {
        var random = SeededGenerator(seed: 5)
        let key = random.bytes(size)
        let prepared = key.lend { unsafe BLAKE2sMACKey($0) }
        for count in [1, 32, 60, 63, 64, 65, 116, 128, 129, 500] {
            let message = random.bytes(count)
            let mac = [UInt8](count: BLAKE2s.macSize) { output in
                message.lend { unsafe prepared.authenticate($0, into: output) }
            }
            #expect(mac == blake2s(message, key: key, outputSize: BLAKE2s.macSize), "\(count)")
        }
    }

    @Test("An HMAC key that is used again and again gives what HMAC gives, into a part's memory too")
    func hmacKey() {
        var random = SeededGenerator(seed: 6)
        let key = random.bytes(32)
        let prepared = HMACKey(key.secret)
        for count in [1, 31, 32, 33, 63, 64, 65, 128, 200] {
            let parts = [random.bytes(32), random.bytes(count)]
            let expected = [UInt8](count: 32) { output in
                key.lend { key in
                    parts[0].lend { first in
                        parts[1].lend { second in unsafe HMAC.blake2s(key: key, first, second, into: output) }
                    }
                }
            }
            let mac = [UInt8](count: 32) { output in
                parts[0].lend { unsafe output.copyMemory(from: $0.octets, byteCount: 32) }
                parts[1].lend { second in
                    unsafe prepared.authenticate(UnsafeRawBufferPointer(start: output, count: 32), second, into: output)
                }
            }
            #expect(mac == expected, "\(count)")
        }
    }

    @Test("P-1.2: the chaining key and hash that every handshake starts from")
    func constants() {
        let construction = blake2s(Array("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s".utf8))
        #expect(construction == hex("60e26daef327efc02ec335e2a025d2d016eb4206f87277f52d38d1988b78cd36"))
        let identifier = Array("WireGuard v1 zx2c4 Jason@zx2c4.com".utf8)
        #expect(
            blake2s(construction + identifier)
                == hex("2211b361081ac566691243db458ad5322d9c6c662293e8b70ee19c65ba079ef3"))
    }

    @Test(
        "HMAC with keys shorter than, as long as and longer than a block, as Python's hmac and hashlib compute it",
        arguments: [
            (0, "", 1, "eaf4bb25938f4d20e72656bbbc7a9bf63c0c18537333c35bdb67db1402661acd"),
            (
                3, "The quick brown fox jumps over the lazy dog", 1,
                "f93215bb90d4af4c3061cd932fb169fb8bb8a91d0b4022baea1271e1323cd9a0"
            ),
            (32, "abc", 1, "82623be5bc0a391b24dce53e67d028eff92d586de0485ac37822e597d049c74f"),
            (64, "x", 64, "2268d198d1272b69cc5b060fcb437a16c939a02905aa930d28ce57d4bded1bed"),
            (65, "x", 65, "3cf374cfea4dd76cfe1620b632128899175b566afea7d034540348c6b4c84fcd"),
            (100, "x", 200, "834cd67f8ca0de35dfcdfff1510ae170f5850f5455aba1c085196c441d7ca7d9"),
        ])
    func hmac(keyCount: Int, message: String, repeated: Int, expected: String) {
        let key = keyCount == 3 ? Array("key".utf8) : [UInt8](0..<UInt8(keyCount))
        let message = Array(String(repeating: message, count: repeated).utf8)
        let mac = [UInt8](count: 32) { output in
            key.lend { key in message.lend { unsafe HMAC.blake2s(key: key, $0, into: output) } }
        }
        #expect(mac == hex(expected))
    }

    @Test("P-2.2: KDF1, KDF2 and KDF3 of the known inputs", arguments: BLAKE2sTests.derivations)
    func derivation(example: Derivation) {
        for count in 1...3 {
            let all = [UInt8](count: 96) { output in
                hex(example.key).lend { key in
                    hex(example.input).lend { input in
                        unsafe KDF.derive(
                            key: key, input: input, output, count > 1 ? output + 32 : nil, count > 2 ? output + 64 : nil
                        )
                    }
                }
            }
            let expected = example.outputs.prefix(count).map(hex).joined()
            // What was not asked for stays as the buffer was.
            let untouched = [UInt8](repeating: 0xee, count: 96 - 32 * count)
            #expect(all == Array(expected) + untouched)
        }
    }

    @Test("The first output may take the place of the key")
    func inPlace() {
        let example = BLAKE2sTests.derivations[3]
        var key = hex(example.key).secret
        let second = [UInt8](count: 32) { second in
            hex(example.input).lend { input in
                unsafe KDF.derive(
                    key: UnsafeRawBufferPointer(start: key.bytes, count: 32), input: input, key.mutableBytes, second)
            }
        }
        #expect(key.array == hex(example.outputs[0]))
        #expect(second == hex(example.outputs[1]))
    }

    struct Derivation: Sendable {
        let key, input: String
        let outputs: [String]
    }

    static let derivations = [
        Derivation(
            key: "746573742d6b6579",
            input: "746573742d696e707574",
            outputs: [
                "6f0e5ad38daba1bea8a0d213688736f19763239305e0f58aba697f9ffc41c633",
                "df1194df20802a4fe594cde27e92991c8cae66c366e8106aaa937a55fa371e8a",
                "fac6e2745a325f5dc5d11a5b165aad08b0ada28e7b4e666b7c077934a4d76c24",
            ]),
        Derivation(
            key: "776972656775617264",
            input: "776972656775617264",
            outputs: [
                "491d43bbfdaa8750aaf535e334ecbfe5129967cd64635101c566d4caefda96e8",
                "1e71a379baefd8a79aa4662212fcafe19a23e2b609a3db7d6bcba8f560e3d25f",
                "31e1ae48bddfbe5de38f295e5452b1909a1b4e38e183926af3780b0c1e1f0160",
            ]),
        Derivation(
            key: "",
            input: "",
            outputs: [
                "8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0",
                "58a0e5f6faefccf4807bff1f05fa8a9217945762040bcec2f4b4a62bdfe0e86e",
                "0ce6ea98ec548f8e281e93e32db65621c45eb18dc6f0a7ad94178610a2f7338e",
            ]),
        Derivation(
            key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            input: "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
            outputs: [
                "6a96444e20e8d4c1cee974416acae1c10b3c92886010e54ed94dafb2c3b80ea0",
                "57af120b0de7acbe7907ec149c5ae870a2dbb74232b65777ba4123f1f7f888f5",
                "0926c7caabb6e8d73beda759e6f4f0d324ce5b5000bcf8cd784b26db3049faa9",
            ]),
    ]
}
