import Crypto
import Pipeline
import Wire
import WireGuard

/// Packets to be sealed, their counters, and the runs that their messages will stand in.
///
/// An item is a packet: its segments are cut out in place, one after the other, so that one thread has them all. Messages that
/// stand back to back are one thread's too, because sealing one touches what is around it: where a portion ends a run ends.
@safe struct SealingWork: CipherWork, ~Copyable {
    @safe private struct Item {
        let sealer: Sealer
        let firstCounter: UInt64
        let messages: Int
        /// What each message's plaintext is padded to, and the last one's.
        let padded: Int
        let lastPadded: Int
        /// The place of its first stretch.
        let stretch: Int
    }

    /// Messages back to back.
    @safe private struct Stretch {
        let start: UnsafeMutableRawPointer
        let messages: Int
    }

    /// A portion is about a full run: what leaves in one send.
    private static let messagesAPortion = 40
    private static let bytesAPortion = 48 << 10
    /// Each stretch begins with a packet, with its last message, or with a run.
    private static let stretchBound = 3 * PacketBatch.capacity

    /// What is sealed, an item each.
    private var packets: PacketBatch
    private let items: UnsafeMutablePointer<Item>
    private var itemCount = 0
    private let stretches: UnsafeMutablePointer<Stretch>
    private var stretchCount = 0
    private var builder: RunBuilder
    /// They have to live for as long as their sealers are used.
    private var sessions: [Keypair] = []

    private var isForSeveral = false
    private(set) var portions: [Int] = []
    /// In the portion that is being filled.
    private var messages = 0
    private var bytes = 0

    init(pool: BufferPool) {
        packets = PacketBatch(pool: pool)
        builder = RunBuilder(pool: pool)
        unsafe items = .allocate(capacity: PacketBatch.capacity)
        unsafe stretches = .allocate(capacity: Self.stretchBound)
    }

    deinit {
        unsafe items.deallocate()
        unsafe stretches.deallocate()
    }

    // MARK: Filling

    /// `isForSeveral`: in portions. (Each ends a run, which for one thread would be for nothing.)
    mutating func begin(isForSeveral: Bool) {
        self.isForSeveral = isForSeveral
        portions.removeAll(keepingCapacity: true)
        (messages, bytes) = (0, 0)
    }

    /// Nothing more can be added.
    var isFull: Bool { builder.runs.isFull || itemCount == PacketBatch.capacity }

    /// Whether a packet of `count` messages of at most `size` bytes finds room.
    func hasRoom(for count: Int, size: Int) -> Bool {
        itemCount < PacketBatch.capacity && builder.hasRoom(for: count, size: size)
    }

    /// The items to come are sealed with it.
    mutating func use(_ session: Keypair) { sessions.append(session) }

    /// Adds a packet, which `hasRoom`: so many messages with counters from `first` on. The packet itself follows, by `take` or
    /// `keep`, in the same order.
    mutating func add(
        _ messages: Int, padded: Int, lastPadded: Int, from first: UInt64, _ sealer: Sealer, _ run: borrowing SealingRun
    ) {
        if isForSeveral, self.messages >= Self.messagesAPortion || bytes >= Self.bytesAPortion { endPortion() }
        unsafe (items + itemCount).initialize(
            to: Item(
                sealer: sealer, firstCounter: first, messages: messages, padded: padded, lastPadded: lastPadded,
                stretch: stretchCount))
        itemCount += 1
        let alike = lastPadded == padded ? messages : messages - 1
        addMessages(alike, padded + DataMessage.overhead, run)
        addMessages(messages - alike, lastPadded + DataMessage.overhead, run)
    }

    private mutating func addMessages(_ count: Int, _ size: Int, _ run: borrowing SealingRun) {
        var left = count
        while left > 0 {
            let room = unsafe builder.messages(left, for: run, size: size)
            unsafe (stretches + stretchCount).initialize(to: Stretch(start: room.start, messages: room.count))
            stretchCount += 1
            unsafe left -= room.count
        }
        messages += count
        bytes += count * size
    }

    private mutating func endPortion() {
        if itemCount > (portions.last ?? 0) { portions.append(itemCount) }
        builder.endRun()
        (messages, bytes) = (0, 0)
    }

    /// The packets that were added, and nothing else.
    mutating func take(_ batch: inout PacketBatch) { packets.exchangePackets(with: &batch) }

    /// The packet that was added last.
    mutating func keep(_ packet: consuming Packet) { packets.append(packet) }

    /// A message that is sealed already.
    mutating func append(_ message: consuming Packet) { builder.append(message) }

    /// Nothing more is added.
    mutating func close() {
        precondition(packets.count == itemCount, "an item is a packet")
        endPortion()
    }

    // MARK: Sealing

    func work(on range: Range<Int>, _ aead: AEAD) {
        for index in range { unsafe seal(packets[index], items[index], aead) }
    }

    private func seal(_ packet: borrowing Packet, _ item: Item, _ aead: AEAD) {
        var stretch = item.stretch
        guard packet.offload.segmentation != .none else {
            unsafe packet.offload.completeChecksum(of: packet.contents)
            return unsafe item.sealer.seal(
                item.firstCounter, packet.bytes, packet.count, padded: item.lastPadded, to: stretches[stretch].start,
                aead)
        }
        var (message, left) = unsafe (stretches[stretch].start, stretches[stretch].messages)
        var index = 0
        var segmenter = unsafe Segmenter(packet.bytes, count: packet.count, packet.offload)
        while let segment = segmenter.next() {
            // Whatever the headers say: a counter that was not given out is never used, and no room that is not there.
            precondition(index < item.messages, "more segments than counters")
            let padded = index == item.messages - 1 ? item.lastPadded : item.padded
            precondition(segment.count <= padded, "a segment that is longer than its message")
            if left == 0 {
                stretch += 1
                unsafe (message, left) = (stretches[stretch].start, stretches[stretch].messages)
            }
            unsafe item.sealer.seal(
                item.firstCounter + UInt64(index), packet.bytes + segment.offset, segment.count, padded: padded,
                to: message, aead)
            unsafe message += padded + DataMessage.overhead
            left -= 1
            index += 1
        }
        precondition(index == item.messages, "fewer segments than messages")
    }

    // MARK: What came of it

    /// Puts the runs into `batch`, which is empty, and is empty itself.
    mutating func finish(into batch: inout PacketBatch) {
        builder.finish(into: &batch)
        packets.removeAll()
        sessions.removeAll(keepingCapacity: true)
        (itemCount, stretchCount) = (0, 0)
    }
}

extension Sealer {
    /// Seals `count` bytes and zeros behind them, `padded` bytes in all. What stands there, as the next segment's payload, is
    /// put back.
    fileprivate func seal(
        _ counter: UInt64, _ source: UnsafeMutableRawPointer, _ count: Int, padded: Int,
        to message: UnsafeMutableRawPointer, _ aead: AEAD
    ) {
        guard padded > count else { return unsafe seal(counter, source, padded, to: message, aead) }
        let behind = unsafe source + count
        let kept = unsafe behind.loadUnaligned(as: SIMD16<UInt8>.self)
        unsafe behind.storeBytes(of: SIMD16<UInt8>(), as: SIMD16<UInt8>.self)
        unsafe seal(counter, source, padded, to: message, aead)
        unsafe behind.storeBytes(of: kept, as: SIMD16<UInt8>.self)
    }
}
