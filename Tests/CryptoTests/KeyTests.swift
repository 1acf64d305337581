import Testing

@testable import Crypto

/// Keys as text, and what becomes of them when they go.
@Suite struct KeyTests {
    private static let text = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
    private static let hexText = "c53201039adba14be71f886da1d8dbe9eebded08cb111b75340078999aa9f038"

    @Test("A public key reads and prints base64 and hexadecimal")
    func publicKeyText() throws {
        let key = try #require(PublicKey(base64: KeyTests.text))
        #expect(key.base64 == KeyTests.text)
        #expect(key.hex == KeyTests.hexText)
        #expect(PublicKey(hex: KeyTests.hexText) == key)
        #expect(PublicKey(hex: KeyTests.hexText.uppercased()) == key)
        #expect(key.array == hex(KeyTests.hexText))
        #expect("\(key)" == KeyTests.text)
    }

    @Test(
        "Base64 is exactly one canonical key, as wg reads it",
        arguments: [
            "",
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg",  // no padding
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg==",  // too much of it
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D==",  // 31 bytes
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dgg",  // 33 bytes
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dh=",  // the last two bits are not zero
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dj=",
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n",
            " xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
            "xTIBA5rboUvnH4 todjb6e697QjLERt1NAB4mZqp8Dg=",
            "xTIBA5rboUvnH4-todjb6e697QjLERt1NAB4mZqp8Dg=",  // the URL alphabet
            "xTIBA5rboUvnH4_todjb6e697QjLERt1NAB4mZqp8Dg=",
            "xTIBA5rboUvnH4=todjb6e697QjLERt1NAB4mZqp8Dg=",
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8D\u{e9}",  // 44 bytes of UTF-8
            "xTIBA5rboUvnH4\u{0}todjb6e697QjLERt1NAB4mZqp8Dg=",
        ])
    func notBase64(text: String) {
        #expect(PublicKey(base64: text) == nil)
        let isPrivateKey = PrivateKey(.base64, text) != nil
        let isPresharedKey = PresharedKey(.base64, text) != nil
        #expect(!isPrivateKey && !isPresharedKey)
    }

    @Test("Hexadecimal is exactly 64 digits")
    func notHex() {
        for text in ["", String(KeyTests.hexText.dropLast()), KeyTests.hexText + "0", KeyTests.hexText + "00"] {
            #expect(PublicKey(hex: text) == nil)
        }
        #expect(PublicKey(hex: KeyTests.hexText.replacing("c5", with: "g5")) == nil)
        #expect(PublicKey(hex: KeyTests.hexText.replacing("c532", with: "c5:2")) == nil)
        #expect(PublicKey(hex: "0x" + KeyTests.hexText.dropLast(2)) == nil)
    }

    @Test("Public keys that differ in one bit are not equal, whichever bit it is")
    func equality() {
        let zero = [UInt8](repeating: 0, count: 32)
        for bit in 0..<256 {
            var other = zero
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(other.publicKey != zero.publicKey)
            #expect(!other.publicKey.isZero)
        }
        // The top bits of two words, which cancel out where words are added up.
        var pair = zero
        pair[7] = 0x80
        pair[15] = 0x80
        #expect(pair.publicKey != zero.publicKey)
        #expect(zero.publicKey == zero.publicKey && zero.publicKey.isZero)
    }

    @Test("N-37: a private key is clamped, so that / at its end reads back as + and its text as wg shows it")
    func clamping() throws {
        let key = [UInt8](repeating: 0xff, count: 32).privateKey
        let text = key.withText(.hex) { unsafe String(decoding: $0, as: UTF8.self) }
        #expect(text == "f8" + String(repeating: "ff", count: 30) + "7f")
        let zero = [UInt8](repeating: 0, count: 32).privateKey
        let zeroText = zero.withText(.hex) { unsafe String(decoding: $0, as: UTF8.self) }
        #expect(zeroText == String(repeating: "00", count: 31) + "40")
    }

    @Test("Generated keys are drawn from the entropy given, are clamped, and read back from their text")
    func generation() throws {
        let entropy = Entropy.predictableForTests(seed: 5)
        let first = PrivateKey.generate(from: entropy)
        let second = PrivateKey.generate(from: entropy)
        #expect((first.equals(second)) == false)
        #expect(first.publicKey != second.publicKey)
        let text = first.withText(.base64) { unsafe String(decoding: $0, as: UTF8.self) }
        #expect(text.utf8.count == 44)
        guard let again = PrivateKey(.base64, text) else {
            Issue.record("\(text) does not read back")
            return
        }
        #expect((again.equals(first)) == true)
        #expect(again.publicKey == first.publicKey)
        let copy = first.copy()
        #expect((copy.equals(first)) == true)
        let preshared = PresharedKey.generate()
        #expect((preshared.isAbsent) == false)
        #expect((PresharedKey().isAbsent) == true)
        let sameBytes = preshared.copy().equals(preshared)
        #expect(sameBytes)
    }

    @Test("Equal seeds give equal bytes, other seeds and later draws others")
    func predictableEntropy() {
        func draws(_ seed: UInt64) -> [UInt64] {
            let entropy = Entropy.predictableForTests(seed: seed)
            return (0..<4).map { _ in entropy.uint64() }
        }
        #expect(draws(1) == draws(1))
        #expect(Set(draws(1) + draws(2)).count == 8)
        #expect(Set((0..<100).map { _ in Entropy.system.uint64() }).count == 100)
    }
}

/// P-9.7, S-13: no secret outlives its owner.
@Suite struct WipingTests {
    private let bytes = [UInt8](1...32)

    private func contents(_ slot: SecretMemory.Slot) -> [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: slot.bytes, count: SecretMemory.slotSize))
    }

    private func secret(in memory: SecretMemory) -> Secret {
        var secret = Secret(in: memory)
        bytes.lend { unsafe secret.mutableBytes.copyMemory(from: $0.octets, byteCount: Secret.byteCount) }
        return secret
    }

    /// Runs `body` with a secret in memory of its own, which nothing else can take the slot of, and gives what its
    /// slot held before and holds after.
    private func lifetime(_ body: (consuming Secret) -> Void) -> (before: [UInt8], after: [UInt8]) {
        let memory = SecretMemory()
        let secret = secret(in: memory)
        let slot = secret.slot
        let before = contents(slot)
        body(secret)
        let after = contents(slot)
        withExtendedLifetime(memory) {}
        return (before, after)
    }

    @Test("A secret's bytes are zero once it is gone")
    func secretGoes() {
        let (before, after) = lifetime { secret in _ = consume secret }
        #expect(before == bytes)
        #expect(after.allSatisfy { $0 == 0 })
    }

    @Test("So are a private key's and a preshared key's")
    func keysGo() {
        #expect(lifetime { secret in _ = PrivateKey(clamping: secret) }.after.allSatisfy { $0 == 0 })
        #expect(lifetime { secret in _ = PresharedKey(secret) }.after.allSatisfy { $0 == 0 })
    }

    @Test("A secret that was moved keeps its bytes in one place until its last owner ends")
    func moves() {
        let memory = SecretMemory()
        let first = secret(in: memory)
        let slot = first.slot
        do {
            let second = first
            #expect(unsafe second.slot.bytes == slot.bytes)
            #expect(second.array == bytes)
        }
        #expect(contents(slot).allSatisfy { $0 == 0 })
        withExtendedLifetime(memory) {}
    }

    @Test("A copy has memory of its own, and ends on its own")
    func copies() {
        let memory = SecretMemory()
        let original = secret(in: memory)
        do {
            let copy = original.copy()
            #expect(unsafe copy.slot.bytes != original.slot.bytes)
            #expect((copy.equals(original)) == true)
        }
        #expect(original.array == bytes)
    }

    @Test("Wiping in place leaves zeros")
    func wiping() {
        var secret = bytes.secret
        #expect((secret.isZero) == false)
        secret.wipe()
        #expect((secret.isZero) == true)
    }

    @Test("A slot that was freed is taken again, and secrets never share one")
    func reuse() {
        let memory = SecretMemory()
        var seen: Set<UInt> = []
        for _ in 0..<1000 {
            let secret = Secret(in: memory)
            #expect((secret.isZero) == true)
            seen.insert(unsafe UInt(bitPattern: secret.slot.bytes))
        }
        #expect(seen.count == 1)
        let slots = (0..<1000).map { _ in memory.allocate() }
        #expect(Set(slots.map { unsafe UInt(bitPattern: $0.bytes) }).count == 1000)
        for slot in slots { memory.release(slot) }
    }
}
