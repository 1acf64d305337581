import Firewall
import HostStages
import Pipeline
import StageTestKit
import Support
import Wire

/// Router files and packets that nobody has thought of, from a seed.
struct RandomPolicy {
    var generator: SeededGenerator

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &generator)]
    }

    private mutating func some(_ elements: [String], atMost: Int) -> String {
        let count = Int.random(in: 1...atMost, using: &generator)
        return "[" + (0..<count).map { _ in "\"\(pick(elements))\"" }.joined(separator: ", ") + "]"
    }

    // MARK: Files

    private static let places = [
        "any", "self", "other", "wan", "lan", "vpn", "admins", "alice", "bob", "carol", "10.0.0.0/8", "10.80.1.0/24",
        "10.80.1.130", "198.51.100.7", "fd80::/16", "2001:db8:1::/64", "10.0.10.1", "fd10::5", "fd10::6",
        "198.51.100.8", "203.0.113.0/24",
    ]
    private static let services = [
        "any", "ssh", "dns", "https", "icmp", "ospf", "dhcp", "tcp/1-100", "udp/50-60,4000", "tcp/22", "bgp",
    ]

    mutating func file() -> String {
        var lines = [
            "  - firewall:", "      default: \(pick(["drop", "reject", "accept"]))", "      reverse-path: off",
            "      rules:",
        ]
        for index in 0..<Int.random(in: 1...14, using: &generator) {
            let verb = pick(["allow", "deny", "reject"])
            let log = Int.random(in: 0..<8, using: &generator) == 0 ? ", log: 5/minute" : ""
            lines.append(
                "        - { \(verb): \(some(Self.services, atMost: 3)), from: \(some(Self.places, atMost: 3)), "
                    + "to: \(some(Self.places, atMost: 3)), name: r\(index)\(log) }")
        }
        if Bool.random(using: &generator) {
            lines += [
                "  - nat:", "      forwards:",
                "        - { name: web, from: wan, port: tcp/443, to: \"10.0.10.5:22\" }",
                "        - { name: dns, from: [wan, vpn], port: udp/53, to: \"fd20::5\" }",
                "        - { name: at, from: [other, alice], port: tcp/100, address: 203.0.113.1, to: 10.0.10.6 }",
                "        - { name: own, from: lan, port: tcp/179, to: \"10.0.10.1:9999\" }",
            ]
        }
        return RouterText.file(lines.joined(separator: "\n"))
    }

    // MARK: Packets

    /// None of them is a destination too: two flows without ports would be one.
    private static let sources: [IPAddress.Family: [String]] = [
        .v4: [
            "10.80.1.5", "10.80.1.130", "10.80.3.7", "10.80.9.9", "10.0.10.5", "10.0.20.9", "198.51.100.7",
            "192.0.2.77",
            "10.0.50.3",
        ],
        .v6: ["fd80::1:5", "fd80::1:8005", "fd80::3:1", "fd10::5", "fd20::9", "2001:db8:1::7", "fd50::3"],
    ]
    private static let destinations: [IPAddress.Family: [(String, String?)]] = [
        .v4: [
            ("10.80.1.6", "wg0"), ("10.80.1.131", "wg0"), ("10.80.3.8", "wg0"), ("10.80.9.8", "wg0"),
            ("10.0.10.6", "eth1"),
            ("10.0.11.5", "eth1"), ("10.0.20.5", "br-iot"), ("198.51.100.8", "eth0"), ("203.0.113.9", "eth0"),
            ("10.0.50.5", "eth5"), ("10.0.60.5", "eth6"), ("10.0.10.1", nil), ("203.0.113.1", nil), ("10.80.0.1", nil),
        ],
        .v6: [
            ("fd80::1:6", "wg0"), ("fd80::1:8006", "wg0"), ("fd80::3:2", "wg0"), ("fd10::6", "eth1"),
            ("fd20::5", "br-iot"),
            ("2001:db8:1::8", "eth0"), ("fd50::5", "eth5"), ("fd60::5", "eth6"), ("fd10::1", nil), ("fd80::1", nil),
        ],
    ]
    private static let ports: [UInt16] = [22, 53, 55, 67, 80, 100, 101, 179, 443, 4000, 51820, 9999]

    struct Sent {
        let packet: TestPacket
        let interface: String
        let flow: Flow
        let text: String
    }

    /// The `number`th packet, of a flow that no other one has.
    mutating func packet(_ number: Int, _ context: FileContext) -> Sent {
        let family: IPAddress.Family = pick([.v4, .v6])
        let source = pick(Self.sources[family] ?? [])
        let (destination, out) = pick(Self.destinations[family] ?? [])
        let interface = pick(Scene.links.map(\.name))
        let port = pick(Self.ports)
        let (transport, service) = transport(family, number, port)
        var builder = PacketBuilder(from: source, to: destination, transport)
        builder.sourcePort = UInt16(truncatingIfNeeded: 1024 + number % 60_000)
        builder.destinationPort = port
        builder.payload = PacketBuilder.payload(8)
        let from = context.end(at: interface, builder.source)
        let to = out.map { context.end(at: $0, builder.destination) } ?? .host(builder.destination)
        return Sent(
            packet: builder.packet, interface: interface, flow: Flow(from: from, to: to, service: service),
            text: "\(interface): \(source) to \(destination), \(service)")
    }

    private mutating func transport(
        _ family: IPAddress.Family, _ number: Int, _ port: UInt16
    ) -> (PacketBuilder.Transport, ServicePorts) {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...2: return (.tcp(flags: 0x02), ServicePorts(ServicePorts.tcp, [port...port]))
        case 3...5: return (.udp, ServicePorts(ServicePorts.udp, [port...port]))
        case 6:
            let type: UInt8 = family == .v4 ? 8 : 128
            let identifier = UInt32(truncatingIfNeeded: number & 0xffff) << 16
            return (.icmp(type: type, rest: identifier | 1), ServicePorts(ServicePorts.icmp))
        default: return (.other(ServicePorts.ospf), ServicePorts(ServicePorts.ospf))
        }
    }
}

extension Outcome {
    /// The counter of the router's table that counts such packets.
    var counter: String {
        switch cause {
        case .rule(let rule): rule.counter
        case .opening(let opening): opening.counter
        case .listenPort: "listen-ports"
        case .neighbourDiscovery: "neighbour-discovery"
        case .sameZone: "same-zone"
        case .fromHost: "from-host"
        case .standard: "default"
        }
    }
}
