import Support
import Testing
import Wire

/// RFC 6040, and where it is not followed to the letter (P-4.19).
@Suite struct ECNTests {
    /// Figure 4 of RFC 6040, by inner and outer bits: not-ECT 00, ECT(1) 01, ECT(0) 10, CE 11.
    private static let table: [(inner: UInt8, outer: UInt8, result: UInt8)] = [
        (0b00, 0b00, 0b00), (0b00, 0b10, 0b00), (0b00, 0b01, 0b00),
        // A drop there; passed on unmarked, as Linux does.
        (0b00, 0b11, 0b00),
        (0b10, 0b00, 0b10), (0b10, 0b10, 0b10), (0b10, 0b01, 0b01), (0b10, 0b11, 0b11),
        (0b01, 0b00, 0b01), (0b01, 0b10, 0b01), (0b01, 0b01, 0b01), (0b01, 0b11, 0b11),
        (0b11, 0b00, 0b11), (0b11, 0b10, 0b11), (0b11, 0b01, 0b11), (0b11, 0b11, 0b11),
    ]

    @Test(arguments: [false, true]) func whatComesOutIsAsTheTableSays(isIPv6: Bool) {
        for row in Self.table {
            for dscp: UInt8 in [0, 0b1011_1000] {
                var packet = PlainPacket()
                packet.isIPv6 = isIPv6
                packet.flowLabel = isIPv6 ? 0xabcde : 0
                packet.payload = [1, 2, 3]
                packet.trafficClass = dscp | row.inner
                var bytes = packet.bytes
                // The outer DSCP is nobody's inside.
                unsafe bytes.withUnsafeMutableBytes { unsafe ECN.decapsulate($0, outer: 0b1000_1000 | row.outer) }
                packet.trafficClass = dscp | row.result
                #expect(bytes == packet.bytes, "\(row)")
                #expect(ECN.concerns(row.outer) || row.result == row.inner, "what does not concern changes nothing")
            }
        }
    }

    @Test func theOuterHeaderSaysNothingButTheBits() {
        for inner: UInt8 in 0...255 { #expect(ECN.outer(of: inner) == inner & 3) }
    }

    @Test func whatIsNoPacketIsLeftAlone() {
        for bytes: [UInt8] in [
            [], [0x45], [UInt8](repeating: 0x45, count: 19), [UInt8](repeating: 0x60, count: 39),
            [UInt8](repeating: 0x10, count: 60),
        ] {
            var changed = bytes
            unsafe changed.withUnsafeMutableBytes { unsafe ECN.decapsulate($0, outer: 3) }
            #expect(changed == bytes)
        }
    }
}
