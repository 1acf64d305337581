import Wire

/// Tells flows apart by addresses, protocol and ports, with a secret, so that nobody outside can aim at the queue that
/// another one's flow is in (RFC 8290 §4.1, §8).
struct FlowHash {
    private let key: SIMD2<UInt64>

    init(key: SIMD2<UInt64>) { self.key = key }

    /// 0 for what is no IP packet.
    func callAsFunction(_ packet: UnsafeMutableRawBufferPointer) -> UInt64 {
        guard let ip = unsafe IPPacket(packet) else { return 0 }
        var hash = SipHash(key)
        let (source, destination) = (ip.source, ip.destination)
        if ip.version == .v6 {
            hash.combine(source.high)
            hash.combine(destination.high)
        }
        hash.combine(source.low)
        hash.combine(destination.low)
        hash.combine(Self.transport(of: ip))
        return hash.finish()
    }

    /// Protocol and ports; of a fragment only the protocol, because no other than the first has ports.
    private static func transport(of ip: IPPacket) -> UInt64 {
        guard !ip.isFragment, let transport = ip.transport else { return UInt64(ip.nextProtocol) << 32 }
        let number = UInt64(transport.number) << 32
        switch transport.number {
        case IPProtocol.tcp, IPProtocol.udp, IPProtocol.sctp, IPProtocol.udpLite:
            guard transport.offset + 4 <= ip.count else { return number }
            return number | UInt64(unsafe ip.start.memoryLong(at: transport.offset))
        default:
            return number
        }
    }
}

/// SipHash (Aumasson and Bernstein, INDOCRYPT 2012) of whole words: with one round a word and three at the end, which are
/// enough where nobody gets to see what comes out.
struct SipHash {
    private var v0, v1, v2, v3: UInt64
    private var bytes: UInt64 = 0
    private let rounds: (word: Int, end: Int)

    init(_ key: SIMD2<UInt64>, rounds: (word: Int, end: Int) = (1, 3)) {
        self.rounds = rounds
        v0 = key.x ^ 0x736f_6d65_7073_6575
        v1 = key.y ^ 0x646f_7261_6e64_6f6d
        v2 = key.x ^ 0x6c79_6765_6e65_7261
        v3 = key.y ^ 0x7465_6462_7974_6573
    }

    @inline(__always) mutating func combine(_ word: UInt64) {
        v3 ^= word
        for _ in 0..<rounds.word { round() }
        v0 ^= word
        bytes &+= 8
    }

    @inline(__always) mutating func finish() -> UInt64 {
        let last = bytes << 56
        v3 ^= last
        for _ in 0..<rounds.word { round() }
        v0 ^= last
        v2 ^= 0xff
        for _ in 0..<rounds.end { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    @inline(__always) private mutating func round() {
        v0 &+= v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 &+= v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 &+= v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}
