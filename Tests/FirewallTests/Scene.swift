import Glibc
import HostStages
import Linux
import Nftables
import Pipeline
import StageTestKit
import Support
import TUN
import Wire

/// A host in a network namespace with an interface for each zone of `RouterText`'s router, each a TUN device that the test
/// holds: what it writes there comes in, as if from the network behind.
final class Scene {
    /// Interface, its own address of each family, and what is routed there.
    struct Link: Sendable {
        let name: String
        let addresses: [String]
        let routes: [String]
    }

    static let links = [
        Link(
            name: "eth0", addresses: ["203.0.113.1/24", "2001:db8::1/64"],
            routes: ["198.51.100.0/24", "2001:db8:1::/48"]),
        Link(name: "eth1", addresses: ["10.0.10.1/24", "fd10::1/64"], routes: ["10.0.11.0/24"]),
        Link(name: "br-iot", addresses: ["10.0.20.1/24", "fd20::1/64"], routes: []),
        Link(name: "eth5", addresses: ["10.0.50.1/24", "fd50::1/64"], routes: []),
        Link(name: "eth6", addresses: ["10.0.60.1/24", "fd60::1/64"], routes: []),
        Link(name: "wg0", addresses: ["10.80.0.1/16", "fd80::1/64"], routes: []),
    ]

    private let devices: [String: TUNDevice]
    private var nftables: NftablesSocket

    /// In the calling thread's namespace.
    init() throws {
        var netlink = try RouteNetlink()
        var devices: [String: TUNDevice] = [:]
        for path in ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] { try Self.write("1", path) }
        for scope in ["all", "default"] { try Self.write("0", "net/ipv4/conf/\(scope)/rp_filter") }
        for link in Self.links {
            devices[link.name] = try TUNDevice.open(name: link.name, offloads: []).first
            let index = try netlink.index(of: link.name)
            try Self.write("0", "net/ipv6/conf/\(link.name)/accept_dad")
            try netlink.setUp(true, link: index)
            for text in link.addresses {
                guard let own = InterfaceAddress(text) else { throw Errno(EINVAL) }
                try netlink.add(own, link: index)
            }
            for text in link.routes {
                if let prefix = Prefix(text) { try netlink.add(Route(prefix), link: index) }
            }
        }
        self.devices = devices
        nftables = try NftablesSocket()
    }

    private static func write(_ value: String, _ path: String) throws {
        let file = try FileDescriptor.open("/proc/sys/\(path)", O_WRONLY)
        _ = try unsafe Array(value.utf8).withUnsafeBytes { try unsafe file.write($0) }
    }

    func apply(_ context: FileContext) throws {
        let intents = context.stages.compactMap { ($0.options as? any HostOptions)?.intent(in: context) }
        try nftables.apply(Ruleset(router: context.router, intents))
    }

    /// How many packets each named counter has counted.
    func counts(_ context: FileContext) throws -> [String: UInt64] {
        try nftables.counters(of: Table("fullbore-\(context.router)")).mapValues(\.packets)
    }

    /// The kernel has dealt with the packet when this returns.
    func send(_ packet: TestPacket, into interface: String) throws {
        guard let device = devices[interface] else { throw Errno(ENODEV) }
        var header = [UInt8](repeating: 0, count: VirtioHeader.length)
        var bytes = packet.bytes
        let result = unsafe header.withUnsafeMutableBytes { header in
            unsafe bytes.withUnsafeMutableBytes { bytes in
                let pieces = unsafe [
                    iovec(iov_base: header.baseAddress, iov_len: header.count),
                    iovec(iov_base: bytes.baseAddress, iov_len: bytes.count),
                ]
                return unsafe pieces.withUnsafeBufferPointer { unsafe device.write($0) }
            }
        }
        guard case .frame = result else { throw Errno(EIO, call: "\(interface): \(result)") }
    }
}
