import Support
import Testing
import Wire

@Suite struct UpperLayerTests {
    private func upperLayer(_ packet: [UInt8]) -> UpperLayer? {
        let memory = GuardedBytes(packet)
        return unsafe IPPacket(memory.bytes)?.upperLayer
    }

    private static func v4(fragment: UInt16, options: Int = 0) -> [UInt8] {
        [0x45 + UInt8(options / 4), 0, 0, 28, 0, 1, UInt8(fragment >> 8), UInt8(fragment & 0xff), 64, 17, 0, 0]
            + [UInt8](repeating: 1, count: 16 + options)
    }

    /// An IPv6 header, and what follows it.
    private static func v6(_ next: UInt8, _ rest: [UInt8]) -> [UInt8] {
        [0x60, 0, 0, 0, 0, UInt8(rest.count), next, 64] + [UInt8](repeating: 2, count: 32) + rest
    }

    private static func option(_ next: UInt8, units: Int = 1) -> [UInt8] {
        [next, UInt8(units - 1)] + [UInt8](repeating: 0, count: units * 8 - 2)
    }

    @Test(arguments: [
        (v4(fragment: 0), UpperLayer.header(number: 17, offset: 20, isRouted: false)),
        (v4(fragment: 0x4000, options: 8), .header(number: 17, offset: 28, isRouted: false)),
        (v4(fragment: 0x2000), .header(number: 17, offset: 20, isRouted: false)),
        (v4(fragment: 0x2001), .laterFragment),
        (v4(fragment: 0x1000), .laterFragment),
        (v6(6, []), .header(number: 6, offset: 40, isRouted: false)),
        (v6(59, []), .header(number: 59, offset: 40, isRouted: false)),
        (v6(0, option(60, units: 2) + option(17)), .header(number: 17, offset: 64, isRouted: false)),
        (v6(43, [58, 0, 4, 0, 0, 0, 0, 0]), .header(number: 58, offset: 48, isRouted: false)),
        (v6(43, [58, 0, 4, 1, 0, 0, 0, 0]), .header(number: 58, offset: 48, isRouted: true)),
        (v6(44, [6, 0xff, 0, 1, 0, 0, 0, 9]), .header(number: 6, offset: 48, isRouted: false)),
        (v6(44, [60, 0, 0, 0, 0, 0, 0, 9] + option(17)), .header(number: 17, offset: 56, isRouted: false)),
        (v6(44, [6, 0, 0, 8, 0, 0, 0, 9]), .laterFragment),
        (v6(0, option(44) + [6, 0, 0x10, 1, 0, 0, 0, 9]), .laterFragment),
        (v6(0, [6, 0, 0, 0]), .unreadable),
        (v6(0, [6, 9] + [UInt8](repeating: 0, count: 30)), .unreadable),
        (v6(44, []), .unreadable),
    ])
    func `it is found behind options and in first fragments`(_ packet: [UInt8], _ expected: UpperLayer) {
        #expect(upperLayer(packet) == expected)
    }

    @Test func `there is a bound on extension headers`() {
        func packet(_ count: Int) -> [UInt8] {
            Self.v6(60, (0..<count).flatMap { Self.option($0 == count - 1 ? 6 : 60) })
        }
        #expect(upperLayer(packet(8)) == .header(number: 6, offset: 104, isRouted: false))
        #expect(upperLayer(packet(9)) == .unreadable)
    }
}
