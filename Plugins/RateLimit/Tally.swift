import Pipeline
import Wire

package enum RateLimitDrop: Int, DropReason {
    /// From a peer, faster than it may.
    case overLimit
    /// To a peer, and had waited for too long.
    case codel
    /// To a peer for which too much waited.
    case queueFull
    /// Too much waited for all peers together.
    case memoryFull
    case overQuota
    /// Waited for a peer that was removed.
    case peerGone

    package var name: String {
        switch self {
        case .overLimit: "over-limit"
        case .codel: "codel"
        case .queueFull: "queue-full"
        case .memoryFull: "memory-full"
        case .overQuota: "over-quota"
        case .peerGone: "peer-gone"
        }
    }
}

/// What the stage counts.
struct Tally {
    var drops = DropCounters<RateLimitDrop>()
    var queued: UInt64 = 0
    var cut: UInt64 = 0
    var bypassed: UInt64 = 0
    private(set) var marked: UInt64 = 0
    private let pool: BufferPool

    static let counters: [Counter<Tally>] = [
        Counter("packets-queued", "packets that had to wait") { $0.queued },
        Counter(
            "packets-bypassed", "packets of routing protocols that would have had to wait, or would have been dropped"
        ) {
            $0.bypassed
        },
        Counter("packets-marked", "packets that were marked (ECN) instead of being dropped by CoDel") { $0.marked },
        Counter("super-packets-cut", "super-packets that were cut into their segments") { $0.cut },
    ]

    init(_ pool: BufferPool) { self.pool = pool }

    var report: StageReport { StageReport(Self.counters, of: self, drops: drops.report) }

    /// Ends a packet that was held.
    mutating func drop(_ packet: consuming Packet, _ reason: RateLimitDrop) {
        drops.count(reason, packet.wirePackets)
        pool.recycle(packet)
    }

    /// Tells of congestion in the packet's own header, where its ends listen (RFC 3168 §5); false where they do not.
    mutating func mark(_ packet: inout Packet) -> Bool {
        guard let ip = unsafe IPPacket(packet.contents), ip.trafficClass & TrafficClass.ecnMask != ECN.notCapable else {
            return false
        }
        unsafe TrafficClass.replace(packet.contents, with: ECN.congestion, mask: TrafficClass.ecnMask)
        marked += UInt64(packet.wirePackets)
        return true
    }
}
