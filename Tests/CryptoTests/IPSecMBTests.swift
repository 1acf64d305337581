import CSodium
import Foundation
import Linux
import Locking
import Support
import Testing

@testable import Crypto

/// What is libIPSec_MB's alone; the tests of all transport ciphers run it too.
@Suite(.enabled(if: TransportCipher.whyNoIPSecMB == nil, "\(TransportCipher.whyNoIPSecMB ?? "")"))
struct IPSecMBTests {
    private let cipher: AEAD

    init() throws { cipher = try TransportCipher.ipsecMB.aead() }

    /// How far behind the source it may look; what the contract allows is more.
    private static let registerSize = 64

    @Test("Nothing but the message is written, and hardly more is read: pages right around it must not be touched")
    func bounds() {
        var random = SeededGenerator(seed: 11)
        for edge in [GuardedBytes.Edge.front, .end] {
            for count in Array(0...1100) + [1420, 1424, 4080, 4096, 9000] {
                let key = random.bytes(32)
                let text = random.bytes(count)
                let plain = GuardedBytes(text + [UInt8](repeating: 0, count: Self.registerSize), edge)
                let sealed = GuardedBytes([UInt8](repeating: 0, count: count + AEAD.tagSize), edge)
                let read = GuardedBytes([UInt8](repeating: 0, count: count + AEAD.tagSize + Self.registerSize), edge)
                let opened = GuardedBytes([UInt8](repeating: 0, count: count), edge)
                let guardedKey = GuardedBytes(key + [UInt8](repeating: 0, count: AEAD.keySlack), edge)
                unsafe cipher.seal(guardedKey.bytes.start, 0, sealed.bytes.start, plain.bytes.start, count)
                unsafe read.bytes.copyBytes(from: sealed.bytes)
                let isOpened = unsafe cipher.open(
                    guardedKey.bytes.start, 0, opened.bytes.start, read.bytes.start, count)
                let expected = ChaCha20Poly1305.seal(
                    key: key, nonce: [UInt8](repeating: 0, count: 12), text, additionalData: [])
                #expect(isOpened, "\(count)")
                #expect(sealed.contents == expected, "\(count)")
                #expect(opened.contents == text, "\(count)")
            }
        }
    }

    @Test("Threads that seal and open at the same time do not disturb each other, nor does one that has ended")
    func threads() throws {
        let wrong = Guarded(0)
        let check = { @Sendable [cipher] (seed: UInt64) in
            let mistakes = Self.mistakes(of: cipher, seed)
            wrong.withLock { $0 += mistakes }
        }
        for generation in 0..<UInt64(3) {
            let first = try Linux.Thread(name: "first") { check(generation) }
            let second = try Linux.Thread(name: "second") { check(100 + generation) }
            check(200 + generation)
            first.join()
            second.join()
        }
        #expect(wrong.withLock { $0 } == 0)
    }

    /// How many of some hundreds of messages libsodium would have sealed otherwise, or are not opened again.
    private static func mistakes(of cipher: AEAD, _ seed: UInt64) -> Int {
        var random = SeededGenerator(seed: seed)
        let key = random.bytes(32)
        return (0..<UInt64(400)).count { counter in
            let text = random.bytes(Int(random.next() % 1500))
            var plain = CipherRoom(room: text.count)
            var sealed = plain
            var other = plain
            plain.put(text)
            cipher.seal(key, counter, plain, text.count, into: &sealed)
            AEAD.libsodium.seal(key, counter, plain, text.count, into: &other)
            let isSame = sealed.get(text.count + AEAD.tagSize) == other.get(text.count + AEAD.tagSize)
            let isOpened = cipher.open(key, counter, sealed, text.count, into: &other)
            return !isSame || !isOpened || other.get(text.count) != text
        }
    }

    @Test("Neither the key nor what the stream makes of it is left anywhere")
    func leftovers() {
        let scan = MemoryScan()
        sealAndOpen(scan)
        #expect(scan.count == 2)
        #expect(scan.find(excluding: SecretMemory.shared.ranges) == [])
        // It would see them.
        let leak = UnsafeMutableRawPointer.allocate(byteCount: MemoryScan.needleSize, alignment: 1)
        defer { unsafe leak.deallocate() }
        unsafe scan.copyNeedle(to: leak)
        #expect(scan.find(excluding: SecretMemory.shared.ranges) == [UInt(bitPattern: leak)])
        unsafe sodium_memzero(leak, MemoryScan.needleSize)
    }

    /// The key, and the first half of its first block, which is the Poly1305 key.
    @inline(never) private func sealAndOpen(_ scan: MemoryScan) {
        let key = Secret(from: .system)
        let count = 1420
        let plain = GuardedBytes([UInt8](repeating: 0x55, count: count), .end)
        let sealed = GuardedBytes([UInt8](repeating: 0, count: count + AEAD.tagSize), .end)
        let opened = GuardedBytes([UInt8](repeating: 0, count: count), .end)
        let stream = GuardedBytes([UInt8](repeating: 0, count: 512), .end)
        for counter in 0..<UInt64(300) {
            unsafe cipher.seal(key.bytes, counter, sealed.bytes.start, plain.bytes.start, count)
            let isOpened = unsafe cipher.open(key.bytes, counter, opened.bytes.start, sealed.bytes.start, count)
            #expect(isOpened)
        }
        unsafe withUnsafeBytes(of: ChaCha20Poly1305.nonce(299)) { nonce in
            _ = unsafe crypto_stream_chacha20_ietf_xor(
                stream.bytes.start.octets, stream.bytes.start.octets, 512, nonce.octets, key.bytes.octets)
        }
        unsafe scan.look(for: key.bytes)
        unsafe scan.look(for: UnsafeRawPointer(stream.bytes.start))
        unsafe sodium_memzero(stream.bytes.start, 512)
    }

    @Test("Without IFMA it is used only when the file says so")
    func selection() throws {
        #expect(try AEAD.onlyIPSecMB().aead.name == "ipsec-mb")
        #expect(try AEAD.onlyLibsodium().aead.name == "libsodium")
        let fastest = try AEAD.fastest()
        let hasIFMA = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).contains(" avx512ifma ")
        #expect(IPSecMB.cpuHasIFMA == hasIFMA)
        #expect(IPSecMB.usesIFMA == hasIFMA)
        #expect(fastest.aead.name == (hasIFMA ? "ipsec-mb" : "libsodium"))
        #expect(fastest.reason.contains("AVX-512 IFMA"))
    }
}
