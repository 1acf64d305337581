import Support
import Testing
import Wire

@Suite struct OffloadParsingTests {
    typealias Fault = Offload.Fault

    private func parse(_ header: VirtioHeader, _ packet: [UInt8]) -> Result<Offload, Fault> {
        let memory = GuardedBytes(packet)
        return unsafe Offload.parse(header, of: UnsafeRawBufferPointer(memory.bytes))
    }

    private func fault(_ header: VirtioHeader, _ packet: [UInt8]) -> Fault? {
        guard case .failure(let fault) = parse(header, packet) else { return nil }
        return fault
    }

    private func packet(v6: Bool = false, tcp: Bool = true, payload: Int = 3000) -> PlainPacket {
        var packet = PlainPacket()
        packet.isIPv6 = v6
        packet.isTCP = tcp
        packet.payload = [UInt8](repeating: 0xab, count: payload)
        return packet
    }

    /// What the kernel says of `packet`, truthfully.
    private func header(_ packet: PlainPacket, size: Int = 1000) -> VirtioHeader {
        var header = VirtioHeader()
        header.flags = 1
        header.segmentation = !packet.isTCP ? 5 : packet.isIPv6 ? 4 : 1
        header.headerLength = UInt16(packet.headerLength)
        header.segmentSize = UInt16(size)
        header.checksumStart = UInt16(packet.headerLength - (packet.isTCP ? 20 + packet.tcpOptions.count : 8))
        header.checksumOffset = packet.isTCP ? 16 : 6
        return header
    }

    @Test(arguments: [false, true], [false, true]) func aTrueHeaderIsTaken(v6: Bool, tcp: Bool) {
        let packet = packet(v6: v6, tcp: tcp)
        let offload = Offload(
            segmentation: tcp ? .tcp : .udp, needsChecksum: true, headerLength: UInt16(packet.headerLength),
            segmentSize: 1000, checksumStart: v6 ? 40 : 20, checksumOffset: tcp ? 16 : 6)
        #expect(parse(header(packet), packet.bytes) == .success(offload))
    }

    @Test func aHeaderThatAsksForNothingOwesNothing() {
        #expect(parse(VirtioHeader(), packet().bytes) == .success(.none))
        var valid = VirtioHeader()
        valid.flags = VirtioHeader.Flag.dataValid
        #expect(parse(valid, packet().bytes) == .success(.none))
    }

    @Test(arguments: [0, 1, 20, 54, 2000, 65_535] as [UInt16])
    func theKernelsHeaderLengthIsNotUsed_X8(claimed: UInt16) {
        var packet = packet()
        packet.tcpOptions = [UInt8](repeating: 1, count: 12)
        var header = header(packet)
        header.headerLength = claimed
        guard case .success(let offload) = parse(header, packet.bytes) else { Issue.record("refused"); return }
        #expect(offload.headerLength == 52)
    }

    @Test func whatMakesOneSegmentIsNotToBeCut() {
        for payload in [0, 1, 999, 1000] {
            let packet = packet(payload: payload)
            let expected = Offload(needsChecksum: true, checksumStart: 20, checksumOffset: 16)
            #expect(parse(header(packet), packet.bytes) == .success(expected))
        }
    }

    @Test func anECNBitIsFineWithTCPOnly() {
        var header = header(packet())
        header.segmentation |= VirtioHeader.Kind.ecn
        #expect(fault(header, packet().bytes) == nil)
        header.segmentation = VirtioHeader.Kind.udp | VirtioHeader.Kind.ecn
        #expect(fault(header, packet(tcp: false).bytes) == .unknownKind)
        header.segmentation = VirtioHeader.Kind.ecn
        #expect(fault(header, packet().bytes) == .unknownKind)
    }

    /// S-27.
    @Test func eachFieldOutOfRangeHasItsReason_S27() {
        let plain = packet()
        let good = header(plain)
        func expect(_ expected: Fault, _ change: (inout VirtioHeader) -> Void) {
            var header = good
            change(&header)
            #expect(fault(header, plain.bytes) == expected)
        }
        expect(.checksumRange) { $0.checksumStart = 19 }
        expect(.checksumRange) { $0.checksumStart = 0 }
        expect(.checksumRange) { $0.checksumStart = 3024 }
        expect(.checksumRange) { $0.checksumStart = 65_535 }
        expect(.checksumRange) { $0.checksumOffset = 3020 - 1 }
        expect(.checksumRange) { $0.checksumOffset = 65_535 }
        expect(.transport) { $0.checksumStart = 24 }
        expect(.transport) { $0.checksumOffset = 6 }
        expect(.segmentSize) { $0.segmentSize = 0 }
        expect(.checksumNotOwed) { $0.flags = 0 }
        expect(.version) { $0.segmentation = VirtioHeader.Kind.tcp6 }
        expect(.transport) { $0.segmentation = VirtioHeader.Kind.udp }
        for kind in UInt8.min ... .max where ![0, 1, 4, 5, 0x81, 0x84].contains(kind) {
            expect(.unknownKind) { $0.segmentation = kind }
        }
    }

    @Test func thePacketsOwnHeadersMustHoldToo_S27() {
        let good = header(packet())
        func expect(_ expected: Fault, _ change: (inout [UInt8]) -> Void) {
            var bytes = packet().bytes
            change(&bytes)
            #expect(fault(good, bytes) == expected)
        }
        expect(.notIP) { $0[0] = 0x05 }
        expect(.checksumRange) { $0[0] = 0x60 }
        expect(.checksumRange) { $0[0] = 0x46 }
        expect(.fragment) { $0[6] = 0x20 }
        expect(.fragment) { $0[7] = 1 }
        expect(.transport) { $0[9] = 17 }
        expect(.transportHeader) { $0[32] = 0x40 }
        expect(.transportHeader) {
            $0[32] = 0xf0; $0 = Array($0[..<70])
        }
        expect(.transportHeader) { $0 = Array($0[..<38]) }
        expect(.notIP) { $0 = [] }
        var other = header(packet(v6: true))
        other.segmentation = VirtioHeader.Kind.tcp4
        #expect(fault(other, packet(v6: true).bytes) == .version)
        var datagram = packet(tcp: false)
        var bytes = datagram.bytes
        bytes[25] &+= 1
        #expect(fault(header(datagram), bytes) == .datagramLength)
        datagram.isIPv6 = true
        #expect(fault(header(datagram), Array(datagram.bytes[..<3000])) == .datagramLength)
    }

    @Test func extensionHeadersMoveTheTransport() {
        var plain = packet(v6: true)
        plain.payload = [UInt8](repeating: 7, count: 3000)
        var bytes = plain.bytes
        bytes[6] = IPProtocol.destinationOptions
        bytes.insert(contentsOf: [IPProtocol.tcp, 0, 1, 4, 0, 0, 0, 0], at: 40)
        var header = header(plain)
        #expect(fault(header, bytes) == .transport)
        header.checksumStart = 48
        guard case .success(let offload) = parse(header, bytes) else { Issue.record("refused"); return }
        #expect(offload.headerLength == 68)
    }

    /// Random headers on random packets, in front of a page that cannot be read: whatever is accepted is sound enough
    /// to be segmented within the packet.
    @Test func randomHeadersNeverReachOutOfThePacket_S27() {
        var random = SeededGenerator(seed: 27)
        var accepted = 0
        for _ in 0..<20_000 {
            var plain = packet(
                v6: .random(using: &random), tcp: .random(using: &random), payload: .random(in: 0...200, using: &random)
            )
            plain.tcpOptions = [UInt8](repeating: 1, count: 4 * .random(in: 0...10, using: &random))
            var bytes = plain.bytes
            var header = header(plain, size: .random(in: 1...80, using: &random))
            // Up to three things go wrong.
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let value = UInt16.random(in: 0...(Bool.random(using: &random) ? 100 : .max), using: &random)
                switch Int.random(in: 0..<8, using: &random) {
                case 0: header.flags = UInt8(truncatingIfNeeded: value)
                case 1:
                    header.segmentation = [0, 1, 4, 5, 0x81, UInt8(value & 0xff)].randomElement(using: &random) ?? 0
                case 2: header.headerLength = value
                case 3: header.segmentSize = value
                case 4: header.checksumStart = value
                case 5: header.checksumOffset = value
                case 6: bytes = Array(bytes.prefix(Int(value)))
                default:
                    if !bytes.isEmpty { bytes[Int(value) % bytes.count] = UInt8.random(in: 0...255, using: &random) }
                }
            }
            let memory = GuardedBytes(bytes)
            guard case .success(let offload) = unsafe Offload.parse(header, of: UnsafeRawBufferPointer(memory.bytes)),
                let start = unsafe memory.bytes.baseAddress
            else { continue }
            accepted += 1
            var segmenter = unsafe Segmenter(start, count: bytes.count, offload)
            var segments = 0
            while let segment = segmenter.next() {
                segments += 1
                #expect(segment.offset >= 0 && segment.offset + segment.count <= bytes.count)
            }
            #expect(offload.segmentation == .none ? segments == 1 : segments > 1)
        }
        #expect(accepted > 1000 && accepted < 19_000)
    }

    @Test func theTenBytesAreReadAsTheyAreWritten() {
        let bytes: [UInt8] = [1, 4, 0x36, 0, 0xb4, 5, 0x28, 0, 0x10, 0]
        let memory = GuardedBytes(bytes)
        guard let start = unsafe memory.bytes.baseAddress else { return }
        let header = unsafe VirtioHeader(at: start)
        #expect(header.flags == 1 && header.segmentation == 4 && header.headerLength == 54)
        #expect(header.segmentSize == 1460 && header.checksumStart == 40 && header.checksumOffset == 16)
        unsafe memory.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe header.store(to: start)
        #expect(memory.contents == bytes)
    }
}
