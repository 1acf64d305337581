/// The reasons a stage has for dropping packets: an enum of Ints from 0, each with a name.
public protocol DropReason: RawRepresentable<Int>, CaseIterable, Sendable {
    /// The name in `show`, metrics and traces, kebab-case.
    var name: String { get }
}

/// How many packets a stage has dropped, by reason. A super-packet counts as its segments.
public struct DropCounters<Reason: DropReason> {
    @usableFromInline var packets: ContiguousArray<UInt64>

    public init() { packets = ContiguousArray(repeating: 0, count: Reason.allCases.count) }

    @inlinable public subscript(reason: Reason) -> UInt64 { packets[reason.rawValue] }

    @inlinable public mutating func count(_ reason: Reason, _ number: Int = 1) {
        packets[reason.rawValue] &+= UInt64(number)
    }

    /// Counts a packet that is to be dropped, for the verdict: `.drop(drops.count(packet, .noRoute))`.
    @inlinable public mutating func count(_ packet: borrowing Packet, _ reason: Reason) -> CountedDrop {
        count(reason, packet.wirePackets)
        return CountedDrop()
    }

    /// Every reason with its count, in the order of the enum.
    public var report: [StageReport.Count] {
        Reason.allCases.map { StageReport.Count($0.name, packets[$0.rawValue]) }
    }
}

/// Says in a verdict that the packet was counted: nothing else makes one, so that no drop is forgotten.
public struct CountedDrop {
    @usableFromInline init() {}
}

/// A stage's counters at one moment. Reports of the instances on several workers add up by name.
public struct StageReport: Sendable, Equatable {
    public struct Count: Sendable, Equatable {
        public let name: String
        public var value: UInt64
        // Only counters and reasons that are declared make one.
        init(_ name: String, _ value: UInt64) {
            self.name = name
            self.value = value
        }
    }

    public var counters: [Count]
    public var drops: [Count]

    init(counters: [Count] = [], drops: [Count] = []) {
        self.counters = counters
        self.drops = drops
    }

    /// Nothing but drops.
    public init(drops: [Count] = []) { self.init(counters: [], drops: drops) }

    /// What `owner` has counted.
    public init<Owner>(_ counters: [Counter<Owner>], of owner: Owner, drops: [Count] = []) {
        self.init(counters: counters.map { Count($0.name, $0.value(owner)) }, drops: drops)
    }

    /// Adds the counts of another instance of the same stage.
    public mutating func add(_ other: StageReport) {
        Self.add(&counters, other.counters)
        Self.add(&drops, other.drops)
    }

    private static func add(_ counts: inout [Count], _ more: [Count]) {
        for count in more {
            if let index = counts.firstIndex(where: { $0.name == count.name }) {
                counts[index].value += count.value
            } else {
                counts.append(count)
            }
        }
    }
}
