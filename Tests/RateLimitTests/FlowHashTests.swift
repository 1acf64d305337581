import Pipeline
import Support
import Testing
import Wire

@testable import RateLimit

@Suite struct FlowHashTests {
    /// The vectors of SipHash-2-4's reference implementation, key 00…0f, whose messages are whole words.
    @Test(
        arguments: [(0, 0x726f_db47_dd0e_0e31), (1, 0x93f5_f579_9a93_2462), (2, 0x3f2a_cc7f_57c2_9bdb)]
            as [(Int, UInt64)])
    func `is SipHash`(words: Int, expected: UInt64) {
        var hash = SipHash(SIMD2(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908), rounds: (2, 4))
        for word in 0..<words { hash.combine(0x0706_0504_0302_0100 + UInt64(word) * 0x0808_0808_0808_0808) }
        #expect(hash.finish() == expected)
    }

    private func hash(_ bytes: [UInt8], _ key: SIMD2<UInt64> = SIMD2(3, 4)) -> UInt64 {
        var bytes = bytes
        return unsafe bytes.withUnsafeMutableBytes { unsafe FlowHash(key: key)($0) }
    }

    private func packet(_ change: (inout PlainPacket) -> Void = { _ in }) -> [UInt8] {
        var packet = PlainPacket()
        packet.payload = [1, 2, 3, 4]
        change(&packet)
        return packet.bytes
    }

    @Test(arguments: [false, true])
    func `packets of a flow have one hash, whatever else is in them`(isIPv6: Bool) {
        let one = hash(packet { $0.isIPv6 = isIPv6 })
        #expect(one == hash(packet { ($0.isIPv6, $0.sequence, $0.payload) = (isIPv6, 5, [7]) }))
        #expect(one == hash(packet { ($0.isIPv6, $0.trafficClass, $0.timeToLive) = (isIPv6, 0xb8, 3) }))
        for change: (inout PlainPacket) -> Void in [
            { $0.source = 9 }, { $0.destination = 9 }, { $0.sourcePort = 9 }, { $0.destinationPort = 9 },
            { $0.isTCP = false },
        ] {
            #expect(
                one
                    != hash(
                        packet {
                            $0.isIPv6 = isIPv6; change(&$0)
                        }))
        }
        #expect(one != hash(packet { $0.isIPv6 = isIPv6 }, SIMD2(3, 5)), "the secret counts")
    }

    @Test func `fragments of a packet have one hash`() {
        func fragment(_ offset: UInt8, _ payload: UInt8) -> [UInt8] {
            var bytes = packet { ($0.isTCP, $0.dontFragment, $0.payload) = (false, false, [payload, payload]) }
            (bytes[6], bytes[7]) = (offset == 0 ? 0x20 : 0, offset)
            bytes[20] = payload
            return bytes
        }
        #expect(hash(fragment(0, 1)) == hash(fragment(5, 2)))
    }

    @Test func `a thousand flows spread over the queues`() {
        var counts = Array(repeating: 0, count: FlowQueue.flowCount)
        for port in UInt16(0)..<2560 {
            counts[Int(hash(packet { $0.sourcePort = port }) % UInt64(FlowQueue.flowCount))] += 1
        }
        #expect((counts.max() ?? 0) < 30 && !counts.contains(0), "ten on average")
    }

    @Test(
        arguments: [
            (false, 3784, 0, true), (false, 3785, 0, true), (false, 4784, 0, true), (false, 3786, 0, false),
            (true, 179, 0, true), (true, 180, 0, false), (true, 3784, 0, false), (false, 179, 0, false),
            (false, 53, 0xc0, true), (false, 53, 0xc3, true), (false, 53, 0xe0, false), (true, 443, 0xb8, false),
        ] as [(Bool, UInt16, UInt8, Bool)], [false, true])
    func `routing protocols are known by port or mark`(
        _ what: (isTCP: Bool, port: UInt16, trafficClass: UInt8, isRouting: Bool), isIPv6: Bool
    ) {
        var bytes = packet {
            ($0.isTCP, $0.isIPv6, $0.destinationPort, $0.trafficClass) = (
                what.isTCP, isIPv6, what.port, what.trafficClass
            )
        }
        #expect(unsafe bytes.withUnsafeMutableBytes { unsafe RoutingProtocol.isOne($0) } == what.isRouting)
    }

    @Test func `BGP is known from either side, OSPF by its number`() {
        var answer = packet { ($0.sourcePort, $0.destinationPort) = (179, 40_000) }
        #expect(unsafe answer.withUnsafeMutableBytes { unsafe RoutingProtocol.isOne($0) })
        var ospf = packet()
        ospf[9] = 89
        #expect(unsafe ospf.withUnsafeMutableBytes { unsafe RoutingProtocol.isOne($0) })
        var short: [UInt8] = [0x45, 0, 0]
        #expect(unsafe !short.withUnsafeMutableBytes { unsafe RoutingProtocol.isOne($0) })
    }
}
