import Pipeline
import Support
import Testing
import Wire

@Suite struct UndeliverablePacketsTests {
    private let packets = UndeliverablePackets()
    private let pool = BufferPool()
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    private func note(_ bytes: [UInt8], at now: Instant = start) {
        let packet = Packet(pool.take(.large), count: bytes.count)
        unsafe bytes.withUnsafeBytes {
            if let start = $0.baseAddress { unsafe packet.bytes.copyMemory(from: start, byteCount: $0.count) }
        }
        packets.note(packet, on: InterfaceID(3), now)
    }

    @Test func aPacketIsQuotedWithItsInterface() {
        let bytes = PlainPacket().bytes
        note(bytes)
        let taken = packets.take()
        #expect(taken.map(\.quote) == [bytes])
        #expect(taken.map(\.interface.index) == [3])
        #expect(packets.isEmpty)
    }

    @Test(arguments: [(false, 548), (true, 1232)]) func aLongOneIsCut(isIPv6: Bool, bound: Int) {
        var packet = PlainPacket()
        packet.isIPv6 = isIPv6
        packet.payload = [UInt8](repeating: 1, count: 20_000)
        note(packet.bytes)
        #expect(packets.take().map(\.quote) == [Array(packet.bytes.prefix(bound))])
    }

    @Test func soManyAtOnceAndSoManyASecondAreTold() {
        let bytes = PlainPacket().bytes
        for _ in 0..<1000 { note(bytes) }
        #expect(packets.take().count == 32)
        #expect(packets.told == 32 && packets.untold == 968)
        // Ten milliseconds for each, and never more than at once.
        note(bytes, at: Self.start + .milliseconds(9))
        #expect(packets.take().isEmpty)
        note(bytes, at: Self.start + .milliseconds(10))
        #expect(packets.take().count == 1)
        for _ in 0..<1000 { note(bytes, at: Self.start + .seconds(60)) }
        #expect(packets.take().count == 32)
    }

    @Test func whatNobodyTakesIsBounded() {
        let bytes = PlainPacket().bytes
        for second in 0..<100 { note(bytes, at: Self.start + .seconds(UInt64(second))) }
        #expect(packets.take().count == 32)
    }

    @Test func whatMayNotBeAnsweredIsNot() {
        var bytes = PlainPacket().bytes
        bytes[16] = 239
        note(bytes)
        note([0, 1, 2])
        #expect(packets.isEmpty && packets.untold == 2)
    }
}
