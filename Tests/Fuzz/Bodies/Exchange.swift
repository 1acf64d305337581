import WireGuard

/// Alice and Bob talk, and Eve does with their datagrams what the input says: she holds, drops, repeats, cuts, alters
/// and redirects them, and lets time pass. What comes out was sent, unaltered, and comes out once.
struct Exchange {
    /// The most steps of an input: each may cost a handshake.
    private static let stepBound = 64
    /// The most datagrams on the way; older ones are lost.
    private static let wireBound = 64

    private let pair = TwoTunnels()
    private var wire: [(to: TwoTunnels.Side, bytes: [UInt8])] = []
    private var sent: UInt32 = 0
    private var delivered: Set<UInt32> = []
    /// What each data message was: receiver index and counter, to its bytes.
    private var sealed: [[UInt8]: [UInt8]] = [:]

    static func run(_ input: [UInt8]) {
        var exchange = Exchange()
        var input = FuzzInput(input)
        for _ in 0..<stepBound where !input.isEmpty { exchange.step(&input) }
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        let side = TwoTunnels.Side(rawValue: Int(kind >> 7)) ?? .alice
        switch kind & 0x0f {
        case 0, 1:
            sent += 1
            pair.send(TwoTunnels.packet(sent, count: Int(input.byte()) * 6), from: side)
        case 2, 3, 4: carry(Int(kind >> 4 & 7))
        case 5: if !wire.isEmpty { wire.removeFirst() }
        case 6: if let first = wire.first { wire.append(first) }
        case 7: alter(&input)
        case 8: if let first = wire.first { wire[0].bytes = Array(first.bytes.prefix(Int(input.byte()))) }
        case 9: if let first = wire.first { wire[0].to = first.to.other }
        case 10: wait(.milliseconds(Int(input.word())))
        case 11: wait(.seconds(Int(input.byte())))
        case 12: pair[side].setWallTime(.init(seconds: UInt64(input.long()) * 2), at: pair.now)
        case 13: wire.reverse()
        case 14:
            let moved = TwoTunnels.endpoint(side.other, port: input.word() | 1)
            try? pair[side].setEndpoint(of: pair.peers[side.rawValue], to: moved, at: pair.now)
        default: wire.append((side, input.bytes(Int(input.byte()))))
        }
        collect()
    }

    private mutating func alter(_ input: inout FuzzInput) {
        let (place, value) = (Int(input.word()), input.byte())
        guard let first = wire.first, !first.bytes.isEmpty else { return }
        wire[0].bytes[place % first.bytes.count] ^= value
    }

    /// Lets the first datagrams arrive.
    private mutating func carry(_ extra: Int) {
        for _ in 0...extra {
            guard !wire.isEmpty else { return }
            let datagram = wire.removeFirst()
            _ = pair[datagram.to].receive(datagram.bytes, from: TwoTunnels.endpoint(datagram.to.other), at: pair.now)
            collect()
        }
    }

    private mutating func wait(_ duration: Duration) {
        pair.now = pair.now.advanced(by: duration)
        for side in TwoTunnels.Side.allCases { pair[side].advance(to: pair.now) }
    }

    private mutating func collect() {
        for side in TwoTunnels.Side.allCases {
            let output = pair.take(side)
            for packet in output.delivered { check(packet) }
            for bytes in output.sent {
                checkNonce(bytes, side)
                wire.append((side.other, bytes))
            }
        }
        wire.removeFirst(max(0, wire.count - Self.wireBound))
    }

    private mutating func check(_ packet: [UInt8]) {
        let number = (0..<4).reduce(UInt32(0)) { $0 | UInt32(packet[20 + $1]) << UInt32(8 * $1) }
        demand(
            (1...sent).contains(number) && packet == TwoTunnels.packet(number, count: packet.count), "an altered packet"
        )
        demand(delivered.insert(number).inserted, "packet \(number) came out twice")
    }

    /// One key, one counter, one message.
    private mutating func checkNonce(_ bytes: [UInt8], _ side: TwoTunnels.Side) {
        guard bytes.first == 4 else { return }
        let nonce = [UInt8(side.rawValue)] + bytes[4..<16]
        demand(sealed.updateValue(bytes, forKey: nonce) == nil, "a nonce was used twice")
    }
}
