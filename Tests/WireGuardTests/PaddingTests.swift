import Testing
import Wire

@testable import WireGuard

/// P-4.6, S-11: plaintext lengths on the wire.
@Suite struct PaddingTests {
    @Test func `P-4.6 up to a multiple of sixteen, never beyond the MTU`() {
        let table: [(count: Int, mtu: Int, expected: Int)] = [
            (0, 1420, 0), (1, 1420, 16), (15, 1420, 16), (16, 1420, 16), (17, 1420, 32), (84, 1420, 96),
            (1408, 1420, 1408), (1409, 1420, 1420), (1419, 1420, 1420), (1420, 1420, 1420),
            // Longer than the MTU: the last piece is what is padded.
            (1421, 1420, 1436), (2840, 1420, 2840), (2841, 1420, 2856), (2839, 1420, 2840),
            // N-12: a route MTU that is odd.
            (1297, 1299, 1299), (1299, 1299, 1299), (1280, 1299, 1280),
            // No MTU known.
            (1, 0, 16), (1420, 0, 1424), (65_519, 0, 65_520),
        ]
        for row in table { #expect(paddedLength(row.count, mtu: row.mtu) == row.expected, "\(row)") }
    }

    @Test func `P-4.6 agrees with the formula as written, for every length and several MTUs`() {
        func formula(_ count: Int, _ mtu: Int) -> Int {
            var last = count
            if mtu != 0, count > mtu { last %= mtu }
            let rounded = (last + 15) / 16 * 16
            return count + (mtu == 0 ? rounded : min(mtu, rounded)) - last
        }
        for mtu in [0, 576, 1280, 1299, 1420, 8920] {
            for count in 0...4000 where paddedLength(count, mtu: mtu) != formula(count, mtu) {
                Issue.record("\(count) bytes, MTU \(mtu)")
            }
        }
    }

    @Test func `S-11 what goes on the wire is padded with zeros`() {
        let pair = Pair()
        pair.connect()
        for count in [20, 33, 100, 1419, 1420] { pair.aliceSends([UInt8](repeating: 0xff, count: count)) }
        pair.link.run(.seconds(1))
        let plain = pair.bob.delivered.dropFirst().map(\.bytes)
        #expect(plain.map(\.count) == [32, 48, 112, 1420, 1420])
        #expect(plain.first == [UInt8](repeating: 0xff, count: 20) + [UInt8](repeating: 0, count: 12))
    }

    @Test func `P-4.6 the smallest MTU that a packet fits is the limit`() {
        let limits = PaddingLimits(link: 1300, routes: [1299, 900, 0, 1300, 9000, 900])
        let table = [
            (1297, 1299), (1299, 1299), (1300, 1300), (895, 896), (897, 900), (900, 900), (901, 912), (10, 16),
        ]
        for (count, expected) in table { #expect(limits.paddedLength(count) == expected, "\(count)") }
        let none = PaddingLimits(link: 0)
        #expect(none.paddedLength(1297) == 1312)
    }

    @Test func `more MTUs than are told apart leave the link's`() {
        let limits = PaddingLimits(link: 1420, routes: 1001...1100)
        #expect(limits.paddedLength(1001) == 1001, "the smallest")
        #expect(limits.paddedLength(1420) == 1420 && limits.paddedLength(1419) == 1420, "the link's")
    }
}
