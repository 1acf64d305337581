import Support
import Testing
import Wire

@Suite struct IPPacketTests {
    private func view<Result>(_ bytes: [UInt8], _ body: (IPPacket?) -> Result) -> Result {
        let memory = GuardedBytes(bytes)
        return body(unsafe IPPacket(memory.bytes))
    }

    @Test(arguments: [4, 6]) func aHeaderCutShortIsNoPacket_S24(version: UInt8) {
        for count in 0...60 {
            let bytes = (0..<count).map { $0 == 0 ? version << 4 | 5 : UInt8(0) }
            let least = version == 4 ? 20 : 40
            #expect(view(bytes) { $0 != nil } == (count >= least), "version \(version), \(count) bytes")
        }
    }

    @Test func onlyVersions4And6AreIP() {
        for version in UInt8(0)...15 where version != 4 && version != 6 {
            #expect(view([version << 4 | 5] + [UInt8](repeating: 0, count: 59)) { $0 == nil })
        }
    }

    @Test func iPv4OptionsMustFitThePacket() {
        for words in UInt8(0)...15 {
            let bytes = [0x40 | words] + [UInt8](repeating: 0, count: 39)
            #expect(view(bytes) { $0?.headerLength } == (5...10 ~= words ? Int(words) * 4 : nil))
        }
    }

    @Test func iPv4FieldsAreRead() {
        var packet = PlainPacket()
        packet.trafficClass = 0xb9
        packet.isTCP = false
        packet.payload = [1, 2, 3]
        view(packet.bytes) { ip in
            #expect(ip?.version == .v4)
            #expect(ip?.source == IPAddress("10.0.0.1"))
            #expect(ip?.destination == IPAddress("10.0.0.2"))
            #expect(ip?.totalLength == 31)
            #expect(ip?.trafficClass == 0xb9)
            #expect(ip?.nextProtocol == 17)
            #expect(ip?.isFragment == false)
            #expect(ip?.transport?.offset == 20)
        }
    }

    @Test func iPv6FieldsAreRead() {
        var packet = PlainPacket()
        packet.isIPv6 = true
        packet.trafficClass = 0xb9
        packet.flowLabel = 0xabcde
        packet.payload = [1, 2, 3]
        view(packet.bytes) { ip in
            #expect(ip?.version == .v6)
            #expect(ip?.source == IPAddress("fd00::1"))
            #expect(ip?.destination == IPAddress("fd00::2"))
            #expect(ip?.totalLength == 63)
            #expect(ip?.trafficClass == 0xb9)
            #expect(ip?.nextProtocol == 6)
            #expect(ip?.transport?.offset == 40)
        }
    }

    /// The IPv4 fragment word, and whether it makes a fragment.
    @Test(arguments: [(0x4000, false), (0x8000, false), (0x2000, true), (0x0001, true), (0x1fff, true)])
    func fragmentsAreSeen(word: Int, isFragment: Bool) {
        var bytes = PlainPacket().bytes
        bytes[6] = UInt8(word >> 8)
        bytes[7] = UInt8(word & 0xff)
        #expect(view(bytes) { $0?.isFragment } == isFragment)
    }

    /// Extension headers as (type, length in 8-byte units beyond the first), then the transport protocol.
    @Test func extensionHeadersAreSkippedWithinThePacket() {
        func packet(_ headers: [(UInt8, Int)], end: UInt8) -> [UInt8] {
            var plain = PlainPacket()
            plain.isIPv6 = true
            var bytes = Array(plain.bytes[..<40])
            bytes[6] = headers.first?.0 ?? end
            for (index, header) in headers.enumerated() {
                let next = index + 1 < headers.count ? headers[index + 1].0 : end
                bytes += [next, UInt8(header.1)] + [UInt8](repeating: 0, count: 6 + header.1 * 8)
            }
            return bytes
        }
        let three = packet([(0, 0), (60, 2), (43, 1)], end: 17)
        #expect(view(three) { $0?.transport?.offset } == three.count)
        #expect(view(three) { $0?.transport?.number } == 17)
        // A header that reaches out of the packet, and more of them than anyone needs.
        var long = packet([(0, 0)], end: 6)
        long[41] = 255
        #expect(view(long) { $0?.transport == nil })
        let many = packet([(UInt8, Int)](repeating: (60, 0), count: 9), end: 6)
        #expect(view(many) { $0?.transport == nil })
    }
}

@Suite struct InnerPacketTests {
    private func length(_ bytes: [UInt8]) -> Result<Int, InnerPacket.Fault> {
        let memory = GuardedBytes(bytes)
        return unsafe InnerPacket.length(of: memory.bytes)
    }

    private func packet(_ version: UInt8, declared: Int, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes[0] = version << 4 | 5
        let field = version == 4 ? 2 : 4
        bytes[field] = UInt8(declared >> 8)
        bytes[field + 1] = UInt8(declared & 0xff)
        return bytes
    }

    @Test func zeroTo39BytesAreRefusedUnlessTheyAreAWholeIPv4Packet_P4_8() {
        #expect(length([]) == .failure(.tooShort))
        for count in 1..<40 {
            #expect(length(packet(6, declared: 0, count: max(count, 6))) == .failure(.tooShort))
            if count >= 4 {
                let answer = length(packet(4, declared: count, count: count))
                #expect(answer == (count < 20 ? .failure(.tooShort) : .success(count)), "\(count) bytes")
            }
        }
    }

    @Test(arguments: [0, 1, 2, 3, 5, 7, 8, 15] as [UInt8]) func otherVersionsAreNotIP_P4_8(version: UInt8) {
        #expect(length(packet(version, declared: 40, count: 80)) == .failure(.notIP))
    }

    /// Version, declared length, bytes there are, and the length that follows, nil for a lie.
    @Test(
        arguments: [
            (4, 0, 64, nil), (4, 19, 64, nil), (4, 20, 64, 20), (4, 50, 64, 50), (4, 64, 64, 64), (4, 65, 64, nil),
            (4, 65_535, 64, nil), (6, 0, 64, 40), (6, 23, 64, 63), (6, 24, 64, 64), (6, 25, 64, nil),
            (6, 65_495, 65_535, 65_535), (6, 65_496, 65_535, nil), (6, 65_535, 65_575, 65_575),
        ] as [(UInt8, Int, Int, Int?)])
    func paddingIsCutAndLiesAreNot_P4_8(version: UInt8, declared: Int, count: Int, expected: Int?) {
        let answer = length(packet(version, declared: declared, count: count))
        #expect(answer == expected.map { .success($0) } ?? .failure(.lyingLength))
    }

    @Test func iPv6LengthsThatWouldWrapIn16BitsAreLies_S32() {
        for declared in 65_496...65_535 {
            for count in [40, 64, 1420] {
                #expect(length(packet(6, declared: declared, count: count)) == .failure(.lyingLength))
            }
        }
    }
}
