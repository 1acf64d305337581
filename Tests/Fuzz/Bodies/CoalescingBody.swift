import Support
import Wire

/// Packets, mostly sound and of few flows; what is joined must come apart into them, bit for bit and in order.
func fuzzCoalescing(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let options = input.byte()
    var packets: [[UInt8]] = []
    while !input.isEmpty, packets.count < 200 { packets.append(nextPacket(&input, after: packets.last)) }
    guard !packets.isEmpty else { return }

    var coalescer = Coalescer(capacity: packets.count)
    coalescer.joinsTCP = options & 1 == 0
    coalescer.joinsUDP = options & 2 == 0
    let memory = packets.map { FlowMemory($0) }
    for piece in memory {
        guard let start = unsafe piece.bytes.bytes.baseAddress else { continue }
        unsafe coalescer.add(start, count: piece.bytes.bytes.count)
    }
    var seen: [Int] = []
    for index in 0..<coalescer.runCount {
        let run = coalescer[index]
        let numbers = Array(sequence(first: run.first) { coalescer.packet(after: $0) })
        demand(numbers.count == run.count && numbers == numbers.sorted(), "run \(index) is out of order")
        check(coalescer.join(index), run, numbers.map { memory[$0].bytes.contents }, numbers.map { packets[$0] })
        coalescer.separate(index)
        demand(memory[run.first].bytes.contents == packets[run.first], "separate does not undo join")
        seen += numbers
    }
    demand(seen.sorted() == Array(packets.indices), "each packet once")
    checkOrder(seen, packets)
}

/// Something with a deinit, to keep in an array.
private final class FlowMemory {
    let bytes: GuardedBytes
    init(_ contents: [UInt8]) { bytes = GuardedBytes(contents) }
}

private func check(_ header: VirtioHeader, _ run: CoalescedRun, _ pieces: [[UInt8]], _ packets: [[UInt8]]) {
    guard pieces.count > 1 else {
        return demand(header == VirtioHeader() && pieces == packets, "a packet on its own is not left alone")
    }
    var frame = [UInt8](repeating: 0, count: VirtioHeader.length)
    unsafe frame.withUnsafeMutableBytes { if let start = $0.baseAddress { unsafe header.store(to: start) } }
    frame += pieces[0] + pieces.dropFirst().flatMap { $0.dropFirst(run.headerLength) }
    guard let split = PacketOracle.split(frame: frame) else { fatalError("the kernel would refuse the frame \(frame)") }
    demand(split.map(withoutIdentification) == packets.map(withoutIdentification), "joined, they are other packets")
}

/// With DF an identification means nothing (RFC 6864 §4.1), and the kernel counts it up as it likes.
private func withoutIdentification(_ packet: [UInt8]) -> [UInt8] {
    guard packet[0] / 16 == 4, packet[6] & 0x40 != 0 else { return packet }
    var packet = packet
    for offset in [4, 5, 10, 11] { packet[offset] = 0 }
    return packet
}

/// The packets of a flow come out in the order in which they went in.
private func checkOrder(_ order: [Int], _ packets: [[UInt8]]) {
    var latest: [[UInt8]: Int] = [:]
    for number in order {
        guard let flow = flow(packets[number]) else { continue }
        demand(latest[flow] ?? -1 < number, "a flow's packets have changed places")
        latest[flow] = number
    }
}

private func flow(_ packet: [UInt8]) -> [UInt8]? {
    guard packet.count >= 20, [4, 6].contains(packet[0] / 16) else { return nil }
    let length = PacketOracle.networkLength(packet)
    guard length >= 20, packet.count >= length + 4, packet[0] / 16 == 4 || length == 40 else { return nil }
    let (number, addresses) = packet[0] / 16 == 4 ? (packet[9], packet[12..<20]) : (packet[6], packet[8..<40])
    guard number == 6 || number == 17 else { return nil }
    return [packet[0] / 16, number] + addresses + packet[length..<length + 4]
}

/// The next packet: the successor of the last one, one of a few flows, or any bytes.
private func nextPacket(_ input: inout FuzzInput, after last: [UInt8]?) -> [UInt8] {
    let kind = input.byte()
    if kind & 7 == 7 {
        let count = Int(input.byte())
        let bytes = input.bytes(count)
        return bytes.isEmpty ? [0] : bytes
    }
    if kind & 7 == 6, var packet = last {
        // The same again with another byte somewhere.
        packet[Int(input.word()) % packet.count] ^= input.byte()
        return packet
    }
    var packet = PlainPacket()
    packet.isIPv6 = kind & 8 != 0
    packet.isTCP = kind & 16 != 0
    packet.dontFragment = kind & 32 != 0
    packet.sourcePort = UInt16(kind >> 6)
    packet.sequence = UInt32(input.byte()) &* 8
    packet.identification = UInt16(input.byte() & 15)
    let shape = input.byte()
    packet.flags = [0x10, 0x18, 0x11, 0x12, 0x90, 0x50, 0x30, 0x14][Int(shape & 7)]
    packet.tcpOptions = [UInt8](repeating: 1, count: Int(shape >> 3 & 3) * 4)
    packet.ipOptions = [UInt8](repeating: 1, count: packet.isIPv6 ? 0 : Int(shape >> 5 & 1) * 4)
    packet.payload = [UInt8](repeating: shape, count: Int(input.byte()) & ~7 | Int(shape >> 7))
    return packet.bytes
}
