import Support
import Testing

@testable import Crypto

/// Each transport cipher against libsodium's own AEAD call.
@Suite struct AEADTests {
    private static let longest = 65_000

    private func reference(_ key: [UInt8], _ counter: UInt64, _ plaintext: [UInt8]) -> [UInt8] {
        let nonce = [UInt8](repeating: 0, count: 4) + (0..<8).map { UInt8(truncatingIfNeeded: counter >> ($0 * 8)) }
        return ChaCha20Poly1305.seal(key: key, nonce: nonce, plaintext, additionalData: [])
    }

    @Test(
        "Sealing and opening agree with libsodium at every length, and stay within their memory",
        arguments: TransportCipher.here)
    func everyLength(of transport: TransportCipher) throws {
        let cipher = try transport.aead()
        var random = SeededGenerator(seed: 1)
        var plain = CipherRoom(room: AEADTests.longest)
        var sealed = plain
        var opened = plain
        for count in Array(0...2100) + [9000, AEADTests.longest] {
            let key = random.bytes(32)
            let counter = random.next()
            let text = random.bytes(count)
            plain = CipherRoom(room: count)
            sealed = CipherRoom(room: count)
            opened = CipherRoom(room: count)
            plain.put(text)
            let before = plain.everything
            cipher.seal(key, counter, plain, count, into: &sealed)
            #expect(sealed.get(count + AEAD.tagSize) == reference(key, counter, text), "\(count)")
            #expect(plain.everything == before, "\(count): the plaintext is kept")
            #expect(sealed.isUntouchedAround(count: count), "\(count)")

            let sealedBefore = sealed.everything
            #expect(cipher.open(key, counter, sealed, count, into: &opened), "\(count)")
            #expect(opened.get(count) == text, "\(count)")
            #expect(sealed.everything == sealedBefore, "\(count): the ciphertext is kept")
            #expect(opened.isUntouchedAround(count: count), "\(count)")

            for _ in 0..<3 {
                let bit = Int(random.next() % UInt64((count + AEAD.tagSize) * 8))
                sealed.flip(bit: bit)
                #expect(!cipher.open(key, counter, sealed, count, into: &opened), "\(count): bit \(bit)")
                #expect(opened.isUntouchedAround(count: count), "\(count)")
                sealed.flip(bit: bit)
            }
            #expect(!cipher.open(key, counter ^ 1 << (random.next() % 64), sealed, count, into: &opened), "\(count)")
        }
    }

    @Test(
        "Every single flipped bit of a keepalive and of a short packet is noticed", arguments: TransportCipher.here,
        [0, 1, 16, 33])
    func everyBit(of transport: TransportCipher, count: Int) throws {
        let cipher = try transport.aead()
        var random = SeededGenerator(seed: 2)
        let key = random.bytes(32)
        var plain = CipherRoom(room: count)
        var sealed = plain
        var opened = plain
        plain.put(random.bytes(count))
        cipher.seal(key, 7, plain, count, into: &sealed)
        for bit in 0..<(count + AEAD.tagSize) * 8 {
            sealed.flip(bit: bit)
            #expect(!cipher.open(key, 7, sealed, count, into: &opened), "bit \(bit)")
            sealed.flip(bit: bit)
        }
        #expect(cipher.open(key, 7, sealed, count, into: &opened))
    }

    @Test(
        "Datagrams sealed back to back into one buffer keep what was written in front of each",
        arguments: TransportCipher.here)
    func backToBack(of transport: TransportCipher) throws {
        let cipher = try transport.aead()
        var random = SeededGenerator(seed: 3)
        let key = random.bytes(32)
        let counts = [1424, 0, 1424, 16, 640, 1, 1008]
        let header = 16
        let total = counts.reduce(0) { $0 + header + $1 + AEAD.tagSize }
        var output = CipherRoom(room: total)
        var expected: [UInt8] = []
        var offset = 0
        for (index, count) in counts.enumerated() {
            let text = random.bytes(count)
            var plain = CipherRoom(room: count)
            plain.put(text)
            key.secret.withBytes { key in
                plain.lend { plain in
                    output.lendMutable { output in
                        for byte in 0..<header { unsafe (output + offset).octets[byte] = UInt8(index) }
                        unsafe cipher.seal(
                            key, UInt64(index), output + offset + header, plain, count)
                    }
                }
            }
            expected += [UInt8](repeating: UInt8(index), count: header) + reference(key, UInt64(index), text)
            offset += header + count + AEAD.tagSize
        }
        #expect(output.get(total) == expected)
    }

    @Test("Each backend passes the self-test", arguments: TransportCipher.here)
    func selfTest(of transport: TransportCipher) throws { #expect(try transport.aead().passesSelfTest()) }

    @Test("A backend that is wrong in one way fails the self-test", arguments: Defect.allCases)
    func defects(defect: Defect) { #expect(!defect.backend.passesSelfTest()) }

    enum Defect: CaseIterable {
        case acceptsForgeries, ignoresTheHighCounter, wrongTagAtOneLength, refusesAll, clobbersTheHeadroom

        var backend: AEAD {
            let right = AEAD.libsodium
            return switch self {
            case .acceptsForgeries:
                unsafe AEAD(name: "acceptsForgeries", seal: right.seal) {
                    _ = unsafe right.open($0, $1, $2, $3, $4)
                    return true
                }
            case .ignoresTheHighCounter:
                unsafe AEAD(
                    name: "ignoresTheHighCounter", seal: { unsafe right.seal($0, $1 & 0xffff_ffff, $2, $3, $4) },
                    open: { unsafe right.open($0, $1 & 0xffff_ffff, $2, $3, $4) })
            case .wrongTagAtOneLength:
                unsafe AEAD(
                    name: "wrongTagAtOneLength",
                    seal: {
                        unsafe right.seal($0, $1, $2, $3, $4)
                        if $4 == 448 { unsafe $2.octets[448] ^= 1 }
                    }, open: right.open)
            case .clobbersTheHeadroom:
                unsafe AEAD(
                    name: "clobbersTheHeadroom", seal: right.seal,
                    open: {
                        unsafe ($2 - 1).octets.pointee = 0
                        return unsafe right.open($0, $1, $2, $3, $4)
                    })
            case .refusesAll:
                unsafe AEAD(name: "refusesAll", seal: right.seal, open: { _, _, _, _, _ in false })
            }
        }
    }
}
