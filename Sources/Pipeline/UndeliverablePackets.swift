import Wire

/// The beginnings of packets that could not be delivered, whose senders are to be told (P-4.15, P-4.16).
///
/// A worker's stages put them in, at a bounded rate and without an allocation; the router takes them out between two turns.
/// Who is told, and from which address, is found out off the packet path.
@safe public final class UndeliverablePackets {
    /// One of them: the quote for the message, the interface that it was to leave by, and the peer that it was for where
    /// that was known: the stages that know it may have changed the packet since it was sent.
    public struct Entry: Sendable {
        public let interface: InterfaceID
        public let peer: PeerID
        public var quote: [UInt8]
    }

    /// The most that wait to be taken, and that are told of at once.
    public static let bound = 32
    /// So many a second for each worker, once those are used up.
    public static let rate: UInt64 = 100
    private static let cost = 1_000_000_000 / rate  // ns
    private static let most = cost * UInt64(bound)  // ns

    private let memory: UnsafeMutableRawPointer
    private var places: InlineArray<32, (interface: InterfaceID, peer: PeerID, count: Int)>
    private var count = 0
    /// Nanoseconds saved up at `last`.
    private var saved = most
    private var last = Instant(nanoseconds: 0)

    /// How many were told of, or will be; and how many for which there were too many or that may not be answered.
    public private(set) var told: UInt64 = 0
    public private(set) var untold: UInt64 = 0

    private static let slot = ICMPUnreachable.quoteBound(.v6)

    public init() {
        unsafe memory = .allocate(byteCount: Self.bound * Self.slot, alignment: 8)
        places = InlineArray(repeating: (InterfaceID(0), .none, 0))
    }

    deinit { unsafe memory.deallocate() }

    public var isEmpty: Bool { count == 0 }

    /// Notes a packet that is about to be dropped, unless its sender may not be told, or there have been too many.
    public func note(_ packet: borrowing Packet, on interface: InterfaceID, _ now: Instant) {
        guard let ip = unsafe IPPacket(packet.contents), ICMPUnreachable.mayAnswer(ip), isWithinRate(now),
            count < Self.bound
        else {
            untold += 1
            return
        }
        let quoted = min(packet.count, ICMPUnreachable.quoteBound(ip.version))
        unsafe (memory + count * Self.slot).copyMemory(from: packet.bytes, byteCount: quoted)
        places[count] = (interface, packet.peer, quoted)
        count += 1
        told += 1
    }

    /// All that wait.
    public func take() -> [Entry] {
        defer { count = 0 }
        return (0..<count).map { index in
            let start = unsafe memory + index * Self.slot
            return Entry(
                interface: places[index].interface, peer: places[index].peer,
                quote: unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: places[index].count)))
        }
    }

    private func isWithinRate(_ now: Instant) -> Bool {
        saved = min(Self.most, saved + min(Self.most, (now - last).nanoseconds))
        last = now
        guard saved >= Self.cost else { return false }
        saved -= Self.cost
        return true
    }
}
