import Support
import Wire

/// A byte that says whether to repair the checksum owed, then a frame as a TUN device gives it.
func fuzzOffload(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let isRepaired = input.byte() & 1 == 1
    guard input.rest.count >= VirtioHeader.length else { return }
    let header = unsafe input.bytes(VirtioHeader.length).withUnsafeBytes { bytes in
        unsafe bytes.baseAddress.map { unsafe VirtioHeader(at: $0) }
    }
    guard let header else { return }
    let given = GuardedBytes(Array(input.rest))
    guard case .success(let offload) = unsafe Offload.parse(header, of: UnsafeRawBufferPointer(given.bytes)) else {
        return
    }
    var packet = given.contents
    let isPlain = isPlain(packet, offload)
    if isRepaired, isPlain { packet = PacketOracle.owingChecksum(withLengths(packet)) }
    let segments = cut(packet, offload)
    demand(segments.count <= packet.count, "more segments than bytes")

    guard offload.segmentation != .none else {
        return demand(segments.map(\.count) == [packet.count], "a packet that is not to be cut")
    }
    let (headers, size) = (Int(offload.headerLength), Int(offload.segmentSize))
    demand(segments.flatMap { $0.dropFirst(headers) } == Array(packet.dropFirst(headers)), "the payload")
    demand(segments.dropLast().allSatisfy { $0.count == headers + size }, "segments of another size")
    if isRepaired, isPlain {
        demand(segments == PacketOracle.cut(packet, header: headers, size: size), "other segments than the oracle's")
    }
}

private func cut(_ packet: [UInt8], _ offload: Offload) -> [[UInt8]] {
    let memory = GuardedBytes(packet)
    guard let start = unsafe memory.bytes.baseAddress else { return [] }
    var segmenter = unsafe Segmenter(start, count: packet.count, offload)
    var segments: [[UInt8]] = []
    while let segment = segmenter.next() {
        demand(segment.offset >= 0 && segment.offset + segment.count <= packet.count, "a segment outside of the packet")
        segments.append(Array(memory.contents[segment.offset..<segment.offset + segment.count]))
    }
    return segments
}

/// Whether the oracle knows such packets: those that are to be cut, without extension headers.
private func isPlain(_ packet: [UInt8], _ offload: Offload) -> Bool {
    offload.segmentation != .none && Int(offload.checksumStart) == PacketOracle.networkLength(packet)
        && packet.count <= 65_535
}

/// The lengths in the headers as a sender would have them.
private func withLengths(_ packet: [UInt8]) -> [UInt8] {
    var packet = packet
    let (field, length) = packet[0] / 16 == 4 ? (2, packet.count) : (4, packet.count - 40)
    packet[field] = UInt8(truncatingIfNeeded: length >> 8)
    packet[field + 1] = UInt8(truncatingIfNeeded: length)
    return packet
}
