import Support
import Wire

/// The first byte is the outer traffic class, the rest the packet.
func fuzzInnerPacket(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let outer = input.byte()
    let packet = Array(input.rest)
    let memory = GuardedBytes(packet)
    let length = unsafe InnerPacket.length(of: memory.bytes)
    demand((try? length.get()) == innerLength(packet), "\(length) of \(packet)")

    if let ip = unsafe IPPacket(memory.bytes) {
        demand(ip.headerLength <= packet.count, "a header longer than the packet")
        _ = (ip.source, ip.destination, ip.totalLength, ip.isFragment, ip.nextProtocol)
        if let transport = ip.transport { demand(transport.offset <= packet.count, "a transport behind the end") }
        answer(ip, packet)
    }
    decapsulate(memory, packet, outer)
}

/// The length that a packet declares, if it is one at all and has it (P-4.8).
private func innerLength(_ packet: [UInt8]) -> Int? {
    func word(_ offset: Int) -> Int { Int(packet[offset]) * 256 + Int(packet[offset + 1]) }
    guard packet.count >= 20 else { return nil }
    let version = packet[0] / 16
    guard version == 4 || version == 6 && packet.count >= 40 else { return nil }
    let declared = version == 4 ? word(2) : 40 + word(4)
    return declared >= 20 && declared <= packet.count ? declared : nil
}

private func answer(_ ip: IPPacket, _ packet: [UInt8]) {
    guard ICMPUnreachable.mayAnswer(ip) else { return }
    let message = ICMPUnreachable.message(quoting: packet, ip.version)
    demand(message.count + (ip.version == .v4 ? 20 : 40) <= (ip.version == .v4 ? 576 : 1280), "too long an answer")
    demand(packet.starts(with: message.dropFirst(8)), "it quotes something else")
    demand(ip.version == .v6 || PacketOracle.checksum(message) == 0, "the answer's checksum")
}

/// Two bits of the header may change, and with IPv4 the checksum, which stays as right or wrong as it was.
private func decapsulate(_ memory: borrowing GuardedBytes, _ packet: [UInt8], _ outer: UInt8) {
    unsafe ECN.decapsulate(memory.bytes, outer: outer)
    var after = memory.contents
    guard after != packet else { return }
    if packet[0] / 16 == 4 {
        let length = Int(packet[0] % 16) * 4
        let (was, now) = (
            PacketOracle.checksum(Array(packet[..<length])), PacketOracle.checksum(Array(after[..<length]))
        )
        // 0 and 0xffff are both zero in one's complement.
        demand((was == 0 || was == 0xffff) == (now == 0 || now == 0xffff), "the header's checksum")
        after[1] = packet[1] ^ ((packet[1] ^ after[1]) & 0xfc)
        after[10] = packet[10]
        after[11] = packet[11]
    } else {
        after[1] = packet[1] ^ ((packet[1] ^ after[1]) & 0xcf)
    }
    demand(after == packet, "more than the ECN bits has changed")
}
