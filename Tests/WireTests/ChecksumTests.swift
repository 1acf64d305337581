import Support
import Testing
import Wire

@Suite struct ChecksumTests {
    private func sum(_ bytes: [UInt8]) -> Checksum {
        let memory = GuardedBytes(bytes)
        var sum = Checksum()
        if let start = unsafe memory.bytes.baseAddress { unsafe sum.add(start, count: bytes.count) }
        return sum
    }

    @Test func theExampleOfRFC1071Section3AddsUp() {
        #expect(sum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]).folded == UInt16(0xddf2).bigEndian)
    }

    @Test func anIPv4HeaderWithItsChecksumIsIntact() {
        var header: [UInt8] = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8,
            0x00, 0xc7,
        ]
        #expect(sum(header).isIntact)
        header[8] -= 1
        #expect(!sum(header).isIntact)
    }

    @Test func everyLengthAgreesWithTheOracle() {
        var random = SeededGenerator(seed: 1)
        for count in 0...2100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            #expect(sum(bytes).value == PacketOracle.checksum(bytes).bigEndian, "\(count) bytes")
        }
    }

    @Test func carriesSurviveTheLongestPacketOfOnes() {
        for count in [65_534, 65_535] {
            let bytes = [UInt8](repeating: 0xff, count: count)
            #expect(sum(bytes).value == PacketOracle.checksum(bytes).bigEndian)
        }
    }

    @Test func piecesAddUpToTheWhole() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let a = (0..<(2 * Int.random(in: 0...60, using: &random))).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let b = (0..<Int.random(in: 0...121, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let whole = Checksum(sum: sum(a).sum + sum(b).sum)
            #expect(whole.value == PacketOracle.checksum(a + b).bigEndian)
        }
    }

    @Test func theExampleOfRFC1624Section4IsUpdatedRight() {
        let updated = Checksum.updated(
            UInt16(0xdd2f).bigEndian, replacing: UInt16(0x5555).bigEndian, with: UInt16(0x3285).bigEndian)
        #expect(updated == 0)
    }

    @Test func updatingAgreesWithSummingAgain() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            var header = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            header[0] = 0x45  // never all zero, as no header is
            let old = PacketOracle.checksum(header).bigEndian
            let place = 2 + 2 * Int.random(in: 0..<8, using: &random)
            let before = (0..<4).map { header[place + $0 < 20 ? place + $0 : place] }
            let fresh = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
            guard place + 4 <= 20 else { continue }
            for index in 0..<4 { header[place + index] = fresh[index] }
            let expected = PacketOracle.checksum(header).bigEndian
            func long(_ bytes: [UInt8]) -> UInt32 {
                bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }.littleEndian
            }
            #expect(Checksum.updated(old, replacing: long(before), with: long(fresh)) == expected)
        }
    }
}
