import Support
import Testing
import Wire

/// How many packets stand in each frame; -1 for one that doesn't check out.
private func sizes(_ frames: [[UInt8]]) -> [Int] { frames.map { PacketOracle.split(frame: $0)?.count ?? -1 } }

/// `count` packets of one flow, one after the other.
private func stream(_ count: Int, of payload: Int = 100, _ change: (inout PlainPacket) -> Void = { _ in })
    -> [PlainPacket]
{
    (0..<count).map { index in
        var packet = PlainPacket()
        packet.sequence = 5000 + UInt32(index * payload)
        packet.identification = 300 + UInt16(index)
        packet.payload = (0..<payload).map { UInt8(truncatingIfNeeded: $0 * 7 + index) }
        change(&packet)
        return packet
    }
}

@Suite struct CoalescerTests {
    @Test(arguments: [false, true], [false, true]) func aStreamBecomesOnePacket(v6: Bool, tcp: Bool) {
        let packets = stream(10) {
            $0.isIPv6 = v6
            $0.isTCP = tcp
            $0.tcpOptions = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]
        }.map(\.bytes)
        let frames = coalesce(packets)
        #expect(frames.count == 1)
        #expect(frames.first.flatMap { PacketOracle.split(frame: $0) } == packets)
    }

    @Test func aPacketOnItsOwnGoesAsItIs() {
        for packet in stream(1) {
            #expect(coalesce([packet.bytes]) == [[UInt8](repeating: 0, count: 10) + packet.bytes])
        }
    }

    struct Difference: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var tcp = true
        var v6 = false
        let change: @Sendable (inout PlainPacket) -> Void

        init(
            _ name: String, tcp: Bool = true, v6: Bool = false,
            _ change: @escaping @Sendable (inout PlainPacket) -> Void
        ) {
            testDescription = name
            self.tcp = tcp
            self.v6 = v6
            self.change = change
        }
    }

    /// What keeps the second of three packets apart from the first.
    static let differences = [
        Difference("another traffic class") { $0.trafficClass = 3 },
        Difference("another TTL") { $0.timeToLive = 63 },
        Difference("another DF") { $0.dontFragment = false },
        Difference("IPv4 options") { $0.ipOptions = [1, 1, 1, 1] },
        Difference("another flow label", v6: true) { $0.flowLabel = 1 },
        Difference("another hop limit", v6: true) { $0.timeToLive = 63 },
        Difference("another traffic class, v6", v6: true) { $0.trafficClass = 3 },
        Difference("a gap") { $0.sequence += 1 },
        Difference("a retransmission") { $0.sequence -= 100 },
        Difference("another acknowledgement") { $0.acknowledgement += 1 },
        Difference("another window") { $0.window += 1 },
        Difference("other options") { $0.tcpOptions = [1, 1, 1, 1] },
        Difference("another timestamp") { $0.tcpOptions[7] += 1 },
        Difference("another echo of a timestamp") { $0.tcpOptions[11] += 1 },
        Difference("another kind of option") { $0.tcpOptions[2] = 9 },
        Difference("FIN") { $0.flags |= 0x01 },
        Difference("SYN") { $0.flags |= 0x02 },
        Difference("RST") { $0.flags |= 0x04 },
        Difference("no ACK") { $0.flags = 0 },
        Difference("URG") { $0.flags |= 0x20 },
        Difference("ECE") { $0.flags |= 0x40 },
        Difference("CWR") { $0.flags |= 0x80 },
        Difference("no data") { $0.payload = [] },
        Difference("more data") { $0.payload.append(1) },
        Difference("UDP without data", tcp: false) { $0.payload = [] },
        Difference("UDP with more data", tcp: false) { $0.payload.append(1) },
        Difference("UDP over another TTL", tcp: false) { $0.timeToLive = 63 },
    ]

    @Test(arguments: differences) func whatDiffersIsNotJoinedButKeepsItsPlace(difference: Difference) {
        var packets = stream(4) {
            $0.isTCP = difference.tcp
            $0.isIPv6 = difference.v6
            $0.tcpOptions = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
        }
        difference.change(&packets[1])
        let bytes = packets.map(\.bytes)
        let frames = coalesce(bytes)
        #expect(sizes(frames).first == 1, "the first was joined")
        #expect(frames.flatMap { PacketOracle.split(frame: $0) ?? [] } == bytes)
        #expect(sizes(frames).contains(2), "the two behind it were not")
    }

    @Test func identificationsMustCountUpWithoutDFOnly() {
        func frames(_ step: UInt16, dontFragment: Bool) -> Int {
            var packets = stream(3) { $0.dontFragment = dontFragment }
            for index in packets.indices { packets[index].identification = 65_535 &+ UInt16(index) &* step }
            return coalesce(packets.map(\.bytes)).count
        }
        #expect(frames(1, dontFragment: false) == 1)
        #expect(frames(0, dontFragment: false) == 3)
        #expect(frames(2, dontFragment: false) == 3)
        #expect(frames(0, dontFragment: true) == 1)
        #expect(frames(9, dontFragment: true) == 1)
    }

    @Test func pushEndsARunAndIsKept() {
        var packets = stream(5)
        packets[2].flags |= 0x08
        let bytes = packets.map(\.bytes)
        let frames = coalesce(bytes)
        #expect(sizes(frames) == [3, 2])
        #expect(frames.flatMap { PacketOracle.split(frame: $0) ?? [] } == bytes)
        packets[0].flags |= 0x08
        #expect(sizes(coalesce(packets.map(\.bytes))) == [1, 2, 2])
    }

    @Test(arguments: [false, true]) func aShorterPacketEndsARun(tcp: Bool) {
        var packets = stream(5) { $0.isTCP = tcp }
        packets[2].payload.removeLast(40)
        for index in 3..<5 { packets[index].sequence -= 40 }
        let bytes = packets.map(\.bytes)
        let frames = coalesce(bytes)
        #expect(sizes(frames) == [3, 2])
        #expect(frames.flatMap { PacketOracle.split(frame: $0) ?? [] } == bytes)
    }

    @Test func aRunStaysWithin64KiBAnd64Packets() {
        let large = coalesce(stream(60, of: 1440).map(\.bytes))
        #expect(sizes(large) == [45, 15])
        #expect(large.allSatisfy { $0.count - 10 <= 65_535 })
        #expect(sizes(coalesce(stream(100, of: 10).map(\.bytes))) == [64, 36])
        #expect(sizes(coalesce(stream(60, of: 1440) { $0.isIPv6 = true }.map(\.bytes))) == [45, 15])
    }

    /// Which of five packets is damaged, and the runs that remain.
    @Test(arguments: [(0, [1, 4]), (1, [1, 1, 3]), (2, [2, 1, 2]), (4, [4, 1])], [false, true])
    func aDamagedPacketIsNotJoinedAndStaysDamaged(damage: (Int, [Int]), tcp: Bool) {
        for place in [60, 10] {  // payload, and the IPv4 header's checksum
            var bytes = stream(5) { $0.isTCP = tcp }.map(\.bytes)
            bytes[damage.0][place] ^= 0x10
            let frames = coalesce(bytes)
            #expect(sizes(frames) == damage.1)
            #expect(frames.flatMap { PacketOracle.split(frame: $0) ?? [] } == bytes)
        }
    }

    @Test func uDPWithoutAChecksumIsNotJoined() {
        var bytes = stream(3) { $0.isTCP = false }.map(\.bytes)
        for index in bytes.indices { (bytes[index][26], bytes[index][27]) = (0, 0) }
        #expect(coalesce(bytes).count == 3)
    }

    @Test func lyingLengthsAreNotJoined_P4_8() {
        for version in [false, true] {
            var bytes = stream(3) { $0.isIPv6 = version }.map(\.bytes)
            for index in bytes.indices { bytes[index].append(0) }
            #expect(coalesce(bytes).count == 3)
        }
        var datagrams = stream(3) { $0.isTCP = false }.map(\.bytes)
        for index in datagrams.indices { datagrams[index][25] -= 1 }
        #expect(coalesce(datagrams).count == 3)
        var headers = stream(3).map(\.bytes)
        for index in headers.indices { headers[index][32] = 0x40 }
        #expect(coalesce(headers).count == 3)
        for index in headers.indices { headers[index][32] = 0xf0; headers[index] = Array(headers[index][..<60]) }
        #expect(coalesce(headers).count == 3)
    }

    @Test func eachKindCanBeSwitchedOff_X5_X9() {
        let tcp = stream(3).map(\.bytes)
        let udp = stream(3) {
            $0.isTCP = false; $0.source = 9
        }.map(\.bytes)
        #expect(sizes(coalesce(tcp + udp, tcp: false)) == [1, 1, 1, 3])
        #expect(sizes(coalesce(tcp + udp, udp: false)) == [3, 1, 1, 1])
    }

    @Test func aFragmentEndsTheRunsBetweenItsAddresses() {
        var packets = stream(6).map(\.bytes)
        packets.insert(contentsOf: stream(1) { $0.source = 9 }.map(\.bytes), at: 3)
        var fragment = packets[2]
        fragment[6] = 0x20
        packets.insert(fragment, at: 4)
        let last = stream(2) {
            $0.source = 9; $0.sequence += 100
        }.map(\.bytes)[0]
        // Flow A 3, flow B 1, a fragment of A, flow A 3, flow B 1, which joins across the fragment.
        let frames = coalesce(packets + [last])
        #expect(frames.map { $0.count - 10 } == [340, 240, 140, 340])
    }

    @Test func aPacketThatOwesSomethingStaysAloneAndInOrder() {
        let packets = stream(6).map(\.bytes)
        #expect(sizes(coalesce(packets, alone: [2])) == [2, 1, 3])
    }

    @Test func moreFlowsThanTheTableHoldsAreAllKeptInOrder() {
        let flows = (0..<60).map { flow in stream(4) { $0.sourcePort = UInt16(1000 + flow) }.map(\.bytes) }
        let packets = (0..<4).flatMap { index in flows.map { $0[index] } }
        let split = coalesce(packets).flatMap { PacketOracle.split(frame: $0) ?? [] }
        #expect(split.count == packets.count)
        for flow in flows { #expect(split.filter { $0[20...21] == flow[0][20...21] } == flow) }
        // As many as it holds are all joined.
        let few = (0..<4).flatMap { index in flows.prefix(32).map { $0[index] } }
        #expect(sizes(coalesce(few)) == [Int](repeating: 4, count: 32))
    }

    @Test func emptyAndForeignPacketsPassThrough() {
        for packet in [[0x45], [0xff], [UInt8](repeating: 0, count: 60), [0x60] + [UInt8](repeating: 0, count: 30)] {
            #expect(coalesce([packet, packet]).map { $0.dropFirst(10) } == [packet[...], packet[...]])
        }
    }
}
