/// What a stage says of itself before there is an instance: enough to check an order and to explain it.
public struct StageDeclaration: Sendable {
    public enum Place: Sendable {
        /// On the packet path, called with batches.
        case path
        /// In the kernel, on packets before they enter and after they leave the TUN device.
        case host
    }

    /// The name in the file, kebab-case.
    public let name: String
    /// One sentence for `fullbore stages`.
    public let summary: String
    public let place: Place
    public let outbound: Passage
    public let inbound: Passage
    /// What its reports count, beside drops, in their order.
    public let counters: [any CounterDeclaration]
    /// The reasons of its drops, in the order of its reports.
    public let drops: [String]

    public init(
        name: String, summary: String, place: Place = .path, outbound: Passage = Passage(),
        inbound: Passage = Passage(), counters: [any CounterDeclaration] = [], drops: any DropReason.Type...
    ) {
        self.name = name
        self.summary = summary
        self.place = place
        self.outbound = outbound
        self.inbound = inbound
        self.counters = counters
        self.drops = drops.flatMap { Self.names($0) }
    }

    private static func names(_ reasons: (some DropReason).Type) -> [String] { reasons.allCases.map(\.name) }
}

/// What a batch must be when a stage gets it in one direction, and what the stage makes of it.
public struct Passage: Sendable {
    public var needs: Facts
    public var provides: Facts
    public var removes: Facts

    public init(needs: Facts = [], provides: Facts = [], removes: Facts = []) {
        self.needs = needs
        self.provides = provides
        self.removes = removes
    }
}

/// What is known of the packets in a batch at one point of the path.
public struct Facts: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The bytes are an IP packet.
    public static let plaintext = Facts(rawValue: 1 << 0)
    /// `Packet.peer` is set: the owner of the destination, or the authenticated sender.
    public static let peer = Facts(rawValue: 1 << 1)
    /// The bytes are UDP payload, a run of WireGuard messages.
    public static let sealed = Facts(rawValue: 1 << 2)
    /// The source address is one that the sender may use.
    public static let sourceChecked = Facts(rawValue: 1 << 3)

    /// Each single fact with its name in messages.
    public static let named: [(Facts, String)] = [
        (.plaintext, "the packet in plaintext"), (.peer, "the packet's peer"), (.sealed, "the packet sealed"),
        (.sourceChecked, "the packet's source checked"),
    ]
}
