import Support
import Wire

/// Packets of every kind that a stage may get to see.
package enum RandomTraffic {
    /// `isWhole`: no super-packets, as on the way up. What is no nonsense gets serial numbers from `next` on.
    static func packet(isWhole: Bool, _ next: inout UInt32, using random: inout SeededGenerator) -> TestPacket {
        let isV6 = Bool.random(using: &random)
        let (source, destination) = (address(isV6, &random), address(isV6, &random))
        func edit(_ builder: inout PacketBuilder) {
            builder.trafficClass = UInt8.random(in: .min ... .max, using: &random)
            builder.owesChecksum = !isWhole && Bool.random(using: &random)
            builder.timeToLive = UInt8.random(in: 1...255, using: &random)
            builder.sourcePort = UInt16.random(in: 1...8, using: &random)
        }
        func number(_ builder: inout PacketBuilder) {
            SerialNumber.write(into: &builder.payload, segmentSize: builder.segmentSize, &next)
        }
        func both(_ builder: inout PacketBuilder) {
            edit(&builder)
            number(&builder)
        }
        let size = Int.random(in: 0...300, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: return .udp(from: source, to: destination, payload: size, both)
        case 2: return .tcp(from: source, to: destination, payload: size, both)
        case 3: return .echo(from: source, to: destination, payload: size, both)
        case 4:
            let cause = TestPacket.udp(from: destination, to: source, payload: size, number)
            return .error(from: source, to: destination, type: isV6 ? 1 : 3, about: cause, edit)
        case 5 where !isWhole:
            return .tcp(from: source, to: destination, payload: Int.random(in: 1500...4000, using: &random)) {
                edit(&$0)
                $0.segmentSize = Int.random(in: 500...1400, using: &random)
                number(&$0)
            }
        case 6:  // a fragment, or a protocol that nobody knows
            return .udp(from: source, to: destination, payload: size) {
                both(&$0)
                $0.owesChecksum = false
                $0.transport = .other(253)
                $0.fragment = isV6 ? 0 : UInt16.random(in: 0...0x3fff, using: &random)
            }
        default:  // what is behind the IP header is nonsense
            var packet = TestPacket.udp(from: source, to: destination, payload: size, { $0.transport = .other(6) })
            let header = isV6 ? 40 : 20
            for index in packet.bytes.indices.dropFirst(header).prefix(20) {
                packet.bytes[index] = UInt8.random(in: .min ... .max, using: &random)
            }
            return packet
        }
    }

    private static func address(_ isV6: Bool, _ random: inout SeededGenerator) -> String {
        let last = Int.random(in: 1...9, using: &random)
        return isV6 ? "fd00::\(last)" : "10.0.0.\(last)"
    }
}
