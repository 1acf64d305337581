import NetMap
import Pipeline
import StageTestKit
import Testing
import Wire

/// The stage on a bench, and a peer with mappings.
final class Scene {
    let bench: StageBench
    let peer: PeerID

    /// Two of IPv4, of which one's host bits end within a byte, and two of IPv6, of which one ends within a word.
    static let mappings = """
        map:
          - { theirs: 192.168.1.0/24, ours: 10.99.1.0/24 }
          - { theirs: 172.16.32.0/19, ours: 100.64.96.0/19 }
          - { theirs: "fd00:1::/64", ours: "fd99:2:3:4::/64" }
          - { theirs: "2001:db8:4000::/35", ours: "fd77:1234:a000::/35" }
        """

    init(_ options: String = mappings) throws {
        bench = try StageBench(NetMap.self)
        peer = try bench.set(3, options)
    }

    /// What becomes of the packets, in one batch.
    func pass(_ packets: [TestPacket], _ direction: Direction, of peer: PeerID? = nil) -> [[UInt8]] {
        bench.enter(packets.map { ($0, peer ?? self.peer) }, 0, direction)
        let passed = direction == .outbound ? bench.takeDown() : bench.takeUp()
        return passed.packets.map(\.bytes)
    }

    /// What becomes of one; nil for one that is dropped.
    func pass(_ packet: [UInt8], _ direction: Direction, owing offload: Offload = .none) -> [UInt8]? {
        pass([TestPacket(bytes: packet, offload: offload)], direction).first
    }
}

/// `10.0.0.1` or `fd00::1` as bytes.
func address(_ text: String) -> [UInt8] {
    guard let address = IPAddress(text) else {
        Issue.record("\(text) is no address")
        return []
    }
    var bytes = [UInt8](repeating: 0, count: address.family.byteCount)
    unsafe bytes.withUnsafeMutableBytes { bytes in
        if let start = bytes.baseAddress { unsafe address.store(to: start) }
    }
    return bytes
}
