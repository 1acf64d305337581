import Support
import Testing
import Wire

/// Segmenting and coalescing are each other's inverse, whatever flows are mixed.
@Suite struct CoalescerPropertyTests {
    private struct Flow {
        var packet: PlainPacket
        var segmentSize: Int
        /// The packets as the other end sent them, in order.
        var sent: [[UInt8]] = []
    }

    private func flow(_ index: Int, _ random: inout SeededGenerator) -> Flow {
        var packet = PlainPacket()
        packet.isIPv6 = .random(using: &random)
        packet.isTCP = .random(using: &random)
        packet.source = UInt8(index)
        packet.sourcePort = UInt16(2000 + index)
        packet.trafficClass = .random(in: 0...255, using: &random)
        packet.dontFragment = .random(using: &random)
        packet.identification = .random(in: 0 ... .max, using: &random)
        packet.sequence = .random(in: 0 ... .max, using: &random)
        packet.tcpOptions = (0..<(4 * Int.random(in: 0...10, using: &random))).map { UInt8($0) }
        return Flow(packet: packet, segmentSize: .random(in: 1...1400, using: &random))
    }

    /// The next burst of a flow, cut as the sender's kernel or card would.
    private func burst(_ flow: inout Flow, _ random: inout SeededGenerator) -> [[UInt8]] {
        let count = Int.random(in: 1...(flow.segmentSize * 12), using: &random)
        flow.packet.payload = (0..<count).map { _ in .random(in: 0...255, using: &random) }
        flow.packet.flags = [0x10, 0x18, 0x10, 0x90, 0x11, 0x12][Int.random(in: 0..<6, using: &random)]
        flow.packet.window = [500, 500, 501][Int.random(in: 0..<3, using: &random)]
        let segments = PacketOracle.cut(
            flow.packet.bytes, header: flow.packet.headerLength, size: flow.segmentSize)
        flow.packet.sequence &+= UInt32(count)
        flow.packet.identification &+= UInt16(segments.count)
        flow.sent += segments
        return segments
    }

    /// The two addresses and ports.
    private func key(_ packet: [UInt8]) -> [UInt8] {
        let start = PacketOracle.networkLength(packet)
        return Array(packet[(start == 20 ? 12 : 8)..<(start + 4)])
    }

    @Test(arguments: 0..<40) func mixedFlowsComeOutWholeAndInOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var flows = (0..<Int.random(in: 1...8, using: &random)).map { flow($0, &random) }
        var queues = flows.indices.map { index in
            (0..<3).flatMap { _ in burst(&flows[index], &random) }
        }
        // Damage some: they must come out as they are.
        for index in queues.indices {
            for place in queues[index].indices where Int.random(in: 0..<40, using: &random) == 0 {
                let byte = flows[index].packet.headerLength - 1
                guard flows[index].packet.tcpOptions.count > 0 || !flows[index].packet.isTCP else { continue }
                queues[index][place][byte] ^= 0x40
                flows[index].sent[place] = queues[index][place]
            }
        }
        var packets: [[UInt8]] = []
        while let index = queues.indices.filter({ !queues[$0].isEmpty }).randomElement(using: &random) {
            let count = min(queues[index].count, Int.random(in: 1...5, using: &random))
            packets += queues[index].prefix(count)
            queues[index].removeFirst(count)
        }
        let frames = coalesce(packets)
        let split = frames.map { PacketOracle.split(frame: $0) }
        #expect(!split.contains { $0 == nil }, "a frame doesn't check out")
        let out = split.flatMap { $0 ?? [] }
        #expect(out.count == packets.count)
        for flow in flows { #expect(out.filter { key($0) == key(flow.sent[0]) } == flow.sent) }
        #expect(frames.count < packets.count, "nothing was joined")
    }

    /// Segmenter → Coalescer → Segmenter, with our own code on both sides this time.
    @Test(arguments: [false, true], [false, true]) func segmentingIsUndoneAndRedone(v6: Bool, tcp: Bool) {
        var random = SeededGenerator(seed: 99)
        for _ in 0..<20 {
            var packet = PlainPacket()
            packet.isIPv6 = v6
            packet.isTCP = tcp
            packet.flags = Bool.random(using: &random) ? 0x18 : 0x10
            let size = Int.random(in: 100...1400, using: &random)
            packet.payload = (0..<Int.random(in: size + 1...size * 40, using: &random)).map { _ in
                .random(in: 0...255, using: &random)
            }
            let segments = cut(packet, size)
            let frames = coalesce(segments)
            #expect(frames.count == 1)
            #expect(frames.first?.dropFirst(10) == PacketOracle.owingChecksum(packet.bytes)[...])
            #expect(cut(packet, size) == segments)
        }
    }

    private func cut(_ packet: PlainPacket, _ size: Int) -> [[UInt8]] {
        let whole = packet.bytes
        let start = PacketOracle.networkLength(whole)
        let memory = GuardedBytes(PacketOracle.owingChecksum(whole))
        guard let bytes = unsafe memory.bytes.baseAddress else { return [] }
        var segmenter = unsafe Segmenter(
            bytes, count: whole.count,
            Offload(
                segmentation: packet.isTCP ? .tcp : .udp, needsChecksum: true,
                headerLength: UInt16(packet.headerLength), segmentSize: UInt16(size), checksumStart: UInt16(start),
                checksumOffset: packet.isTCP ? 16 : 6))
        var segments: [[UInt8]] = []
        while let segment = segmenter.next() {
            segments.append(Array(memory.contents[segment.offset..<segment.offset + segment.count]))
        }
        return segments
    }
}
