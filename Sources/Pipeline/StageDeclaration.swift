/// What a stage says of itself before there is an instance: enough to check an order and to explain it.
package struct StageDeclaration: Sendable {
    package enum Place: Sendable {
        /// On the packet path, called with batches.
        case path
        /// In the kernel, on packets before they enter and after they leave the TUN device.
        case host
    }

    /// The name in the file, kebab-case.
    package let name: String
    /// One sentence for `fullbore stages`.
    package let summary: String
    package let place: Place
    package let outbound: Passage
    package let inbound: Passage
    /// What its reports count, beside drops, in their order.
    package let counters: [CounterDeclaration]
    /// The reasons of its drops, in the order of its reports.
    package let drops: [String]

    /// `counters` only ever go up and `gauges` go both ways; each with what it counts.
    package init(
        name: String, summary: String, place: Place = .path, outbound: Passage = Passage(),
        inbound: Passage = Passage(), counters: KeyValuePairs<String, String> = [:],
        gauges: KeyValuePairs<String, String> = [:], drops: any DropReason.Type...
    ) {
        self.name = name
        self.summary = summary
        self.place = place
        self.outbound = outbound
        self.inbound = inbound
        self.counters =
            counters.map { CounterDeclaration(name: $0.key, meaning: $0.value, isGauge: false) }
            + gauges.map { CounterDeclaration(name: $0.key, meaning: $0.value, isGauge: true) }
        self.drops = drops.flatMap { Self.names($0) }
    }

    private static func names(_ reasons: (some DropReason).Type) -> [String] { reasons.allCases.map(\.name) }
}

/// What a stage says of one of its counters.
package struct CounterDeclaration: Sendable, Equatable {
    /// Its name in reports, kebab-case.
    package let name: String
    /// What it counts.
    package let meaning: String
    /// Whether it goes down too.
    package let isGauge: Bool
}

/// What a batch must be when a stage gets it in one direction, and what the stage makes of it.
package struct Passage: Sendable {
    package var needs: Facts
    package var provides: Facts
    package var removes: Facts

    package init(needs: Facts = [], provides: Facts = [], removes: Facts = []) {
        self.needs = needs
        self.provides = provides
        self.removes = removes
    }
}

/// What is known of the packets in a batch at one point of the path.
package struct Facts: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The bytes are an IP packet.
    package static let plaintext = Facts(rawValue: 1 << 0)
    /// `Packet.peer` is set: the owner of the destination, or the authenticated sender.
    package static let peer = Facts(rawValue: 1 << 1)
    /// The bytes are UDP payload, a run of WireGuard messages.
    package static let sealed = Facts(rawValue: 1 << 2)
    /// The source address is one that the sender may use.
    package static let sourceChecked = Facts(rawValue: 1 << 3)

    /// Each single fact with its name in messages.
    package static let named: [(Facts, String)] = [
        (.plaintext, "the packet in plaintext"), (.peer, "the packet's peer"), (.sealed, "the packet sealed"),
        (.sourceChecked, "the packet's source checked"),
    ]
}
