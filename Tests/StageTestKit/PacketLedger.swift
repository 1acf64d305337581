import Pipeline
import Wire

/// The packets that went into a stage, by the serial numbers in them, so that of each that comes out it can be told what is
/// wrong: with its peer, its interface, its direction, its place among those of its flow, or itself. A stage may change what
/// it likes before the payload, addresses too, and may cut a super-packet.
struct PacketLedger {
    private struct Flow: Hashable {
        let direction: Direction
        let interface: Int
        let peer: PeerID
        /// As they went in.
        let addresses: [UInt8]
        let protocolNumber: UInt8
        /// ICMP's type and code stand there too.
        let ports: [UInt8]
    }

    private struct Entry {
        let flow: Flow
        let isSound: Bool
    }

    private var entries: [UInt32: Entry] = [:]
    /// The serial number of the packet that came out last.
    private var last: [Flow: UInt32] = [:]

    mutating func enter(
        _ packet: TestPacket, _ peer: PeerID, _ interface: Int, _ direction: Direction
    ) {
        let serials = SerialNumber.all(in: packet)
        guard !serials.isEmpty else { return }
        let (isV4, bytes) = (packet.version == 4, packet.bytes)
        let number = isV4 ? bytes[9] : bytes[6]
        let flow = Flow(
            direction: direction, interface: interface, peer: peer,
            addresses: Array(isV4 ? bytes[12..<20] : bytes[8..<40]),
            protocolNumber: number,
            ports: [6, 17].contains(number)
                ? Array(bytes.dropFirst(isV4 ? 20 : 40).prefix(4)) : Array(bytes.dropFirst(isV4 ? 20 : 40).prefix(2)))
        for serial in serials { entries[serial] = Entry(flow: flow, isSound: packet.fault == nil) }
    }

    /// What is wrong with a packet that has come out; nil when nothing is, or when it has no number.
    mutating func fault(of passed: Passed, _ direction: Direction) -> String? {
        let serials = SerialNumber.all(in: passed.packet)
        for serial in serials {
            guard let entry = entries.removeValue(forKey: serial) else {
                return "packet \(serial) came out twice, or never went in"
            }
            let flow = entry.flow
            if flow.peer != passed.peer {
                return "packet \(serial) of peer \(flow.peer.index) came out as one of \(passed.peer.index)"
            }
            if flow.interface != passed.interface.index {
                return "packet \(serial) of interface \(flow.interface) came out on \(passed.interface.index)"
            }
            if flow.direction != direction {
                return "packet \(serial) came out \(direction), and went in the other way"
            }
            if let earlier = last[flow], earlier > serial {
                return "packet \(serial) came out after \(earlier) of the same flow"
            }
            last[flow] = serial
            if entry.isSound, let fault = passed.packet.fault {
                return "packet \(serial) went in sound, and has \(fault)"
            }
        }
        return nil
    }
}

/// Numbers in the payloads of packets, one at the beginning of each segment, by which they are known again.
enum SerialNumber {
    private static let mark: [UInt8] = [0xf5, 0x1e, 0xd9, 0x42]
    private static let length = 8

    /// Writes numbers from `next` on; a segment without room for one gets none.
    static func write(into payload: inout [UInt8], segmentSize: Int, _ next: inout UInt32) {
        let starts = segmentSize > 0 ? Array(stride(from: 0, to: payload.count, by: segmentSize)) : [0]
        for start in starts where start + length <= payload.count {
            let digits = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: next >> $0) }
            payload.replaceSubrange(start..<(start + length), with: mark + digits)
            next += 1
        }
    }

    /// Those in a packet, or in what an error quotes, in order.
    static func all(in packet: TestPacket) -> [UInt32] {
        let (bytes, first) = (packet.bytes, mark[0])
        var serials: [UInt32] = []
        var index = 0
        while index + length <= bytes.count {
            if bytes[index] == first, Array(bytes[index..<(index + mark.count)]) == mark {
                serials.append(bytes[(index + mark.count)..<(index + length)].reduce(0) { $0 << 8 | UInt32($1) })
            }
            index += 1
        }
        return serials
    }
}
