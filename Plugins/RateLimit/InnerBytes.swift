import Pipeline
import Wire

extension Packet {
    /// What the packets that this entry stands for have together above `wireguard`: each has the headers.
    var innerBytes: Int { count + (wirePackets - 1) * Int(offload.headerLength) }
}
