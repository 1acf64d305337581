import Support
import Testing
import Wire

@Suite struct SegmenterTests {
    /// Cuts `packet`, whose checksum is owed, and gives copies of the segments. What stands in front of each is trampled
    /// on, as a caller may.
    private func cut(_ packet: [UInt8], header: Int, size: Int, tcp: Bool) -> [[UInt8]] {
        let start = PacketOracle.networkLength(packet)
        let offload = Offload(
            segmentation: tcp ? .tcp : .udp, needsChecksum: true, headerLength: UInt16(header),
            segmentSize: UInt16(size), checksumStart: UInt16(start), checksumOffset: tcp ? 16 : 6)
        let memory = GuardedBytes(PacketOracle.owingChecksum(packet))
        guard let bytes = unsafe memory.bytes.baseAddress else { return [] }
        var segmenter = unsafe Segmenter(bytes, count: packet.count, offload)
        var segments: [[UInt8]] = []
        while let segment = segmenter.next() {
            segments.append(Array(memory.contents[segment.offset..<segment.offset + segment.count]))
            for index in 0..<segment.offset { unsafe memory.bytes[index] = 0xee }
        }
        return segments
    }

    private func random(_ random: inout SeededGenerator, v6: Bool, tcp: Bool) -> PlainPacket {
        var packet = PlainPacket()
        packet.isIPv6 = v6
        packet.isTCP = tcp
        packet.trafficClass = .random(in: 0...255, using: &random)
        packet.identification = .random(in: 0 ... .max, using: &random)
        packet.dontFragment = .random(using: &random)
        packet.sequence = .random(in: 0 ... .max, using: &random)
        packet.flags = .random(in: 0...255, using: &random)
        if !v6 { packet.ipOptions = [UInt8](repeating: 1, count: 4 * .random(in: 0...10, using: &random)) }
        packet.tcpOptions = (0..<(4 * Int.random(in: 0...10, using: &random))).map { UInt8($0) }
        return packet
    }

    @Test(arguments: [false, true], [false, true])
    func segmentsAgreeWithTheSlowSplitter_P4_23(v6: Bool, tcp: Bool) {
        var generator = SeededGenerator(seed: 23)
        for round in 0..<100 {
            var packet = random(&generator, v6: v6, tcp: tcp)
            // Small sizes too, where headers are longer than the payload between them.
            let size = Int.random(in: 1...(round % 2 == 0 ? 60 : 1500), using: &generator)
            let count = Int.random(in: (size + 1)...(size * 40), using: &generator)
            packet.payload = (0..<min(count, 65_000)).map { _ in .random(in: 0...255, using: &generator) }
            let bytes = packet.bytes
            let segments = cut(bytes, header: packet.headerLength, size: size, tcp: tcp)
            let expected = PacketOracle.cut(bytes, header: packet.headerLength, size: size)
            #expect(segments == expected, "round \(round): \(bytes.count) bytes by \(size)")
            #expect(segments.allSatisfy { PacketOracle.fault($0) == nil })
        }
    }

    @Test func finAndPushStandInTheLastSegmentAndCWRInTheFirst() {
        var packet = PlainPacket()
        packet.flags = 0xd9  // CWR, ECE, ACK, PSH, FIN
        packet.payload = [UInt8](repeating: 9, count: 3000)
        let segments = cut(packet.bytes, header: 40, size: 1000, tcp: true)
        let flags: [UInt8] = [0xd0, 0x50, 0x59]
        #expect(segments.map { $0[33] } == flags)
    }

    @Test func sequenceAndIdentificationWrapAround() {
        var packet = PlainPacket()
        packet.sequence = .max - 500
        packet.identification = .max
        packet.payload = [UInt8](repeating: 9, count: 2500)
        let bytes = packet.bytes
        #expect(cut(bytes, header: 40, size: 1000, tcp: true) == PacketOracle.cut(bytes, header: 40, size: 1000))
    }

    @Test(arguments: [false, true], [false, true]) func aChecksumThatIsOwedIsCompleted(v6: Bool, tcp: Bool) {
        var generator = SeededGenerator(seed: 24)
        for _ in 0..<300 {
            var packet = random(&generator, v6: v6, tcp: tcp)
            packet.payload = (0..<Int.random(in: 0...1400, using: &generator)).map { _ in
                .random(in: 0...255, using: &generator)
            }
            let whole = packet.bytes
            let memory = GuardedBytes(PacketOracle.owingChecksum(whole))
            guard let bytes = unsafe memory.bytes.baseAddress else { return }
            let offload = Offload(
                needsChecksum: true, checksumStart: UInt16(PacketOracle.networkLength(whole)),
                checksumOffset: tcp ? 16 : 6)
            var segmenter = unsafe Segmenter(bytes, count: whole.count, offload)
            let segment = segmenter.next()
            #expect(segment?.offset == 0 && segment?.count == whole.count)
            #expect(segmenter.next() == nil)
            #expect(memory.contents == whole)
        }
    }

    @Test func aUDPChecksumOfZeroIsSentAsOnes() {
        var packet = PlainPacket()
        packet.isTCP = false
        packet.payload = [0, 0]
        // The payload's word that makes the sum 0xffff.
        let sum = packet.bytes[26...27]
        packet.payload = Array(sum)
        let bytes = packet.bytes
        #expect(bytes[26...27] == [0xff, 0xff])
        let memory = GuardedBytes(PacketOracle.owingChecksum(bytes))
        let offload = Offload(needsChecksum: true, checksumStart: 20, checksumOffset: 6)
        unsafe offload.completeChecksum(of: memory.bytes)
        #expect(memory.contents == bytes)
    }

    @Test func aPacketThatOwesNothingComesOutAsItIs() {
        var packet = PlainPacket()
        packet.payload = [1, 2, 3]
        var bytes = packet.bytes
        bytes[36] ^= 1  // its checksum is wrong, and stays wrong
        let memory = GuardedBytes(bytes)
        guard let start = unsafe memory.bytes.baseAddress else { return }
        var segmenter = unsafe Segmenter(start, count: bytes.count, .none)
        #expect(segmenter.next()?.count == bytes.count)
        #expect(segmenter.next() == nil)
        #expect(memory.contents == bytes)
    }

    @Test func anEmptyPacketHasNoSegments() {
        let memory = GuardedBytes([1])
        guard let start = unsafe memory.bytes.baseAddress else { return }
        var segmenter = unsafe Segmenter(start, count: 0, .none)
        #expect(segmenter.next() == nil)
    }
}
