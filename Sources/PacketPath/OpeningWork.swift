import Crypto
import Pipeline
import Wire
import WireGuard

/// Data messages to be opened: the runs that they came in, and a packet for what is in each.
///
/// An item is a message, and its packet has the same number. Who works on it says whether it is authentic and nothing more; the
/// owner then looks at the counters, in order.
@safe struct OpeningWork: CipherWork, ~Copyable {
    @safe private struct Item {
        let opener: Opener
        let message: UnsafeRawPointer
        let count: Int
        let plaintext: UnsafeMutableRawPointer
        let counter: UInt64
        var isAuthentic = false
        var goesOn = false
    }

    /// Messages of one session that came in one run.
    struct Session {
        let keypair: Keypair
        let path: Path
        let trafficClass: UInt8
        /// Behind its last item.
        let end: Int
    }

    private static let messagesAPortion = 24

    /// Where the messages stand.
    private var runs: PacketBatch
    private var opened: PacketBatch
    private let items: UnsafeMutablePointer<Item>
    private var sessions: [Session] = []
    private var isForSeveral = false
    private(set) var portions: [Int] = []

    init(pool: BufferPool) {
        runs = PacketBatch(pool: pool)
        opened = PacketBatch(pool: pool)
        unsafe items = .allocate(capacity: PacketBatch.capacity)
    }

    deinit { unsafe items.deallocate() }

    // MARK: Filling

    mutating func begin(isForSeveral: Bool) {
        self.isForSeveral = isForSeveral
        portions.removeAll(keepingCapacity: true)
    }

    var isFull: Bool { opened.isFull }

    /// Adds a message of `count` ≥ 32 bytes; there is room.
    mutating func add(_ message: UnsafeRawPointer, _ count: Int, counter: UInt64, _ opener: Opener) {
        let plaintext = count - DataMessage.overhead
        let packet = Packet(opened.pool.take(Buffer.size(for: plaintext)), count: plaintext)
        let item = opened.count
        unsafe (items + item).initialize(
            to: Item(opener: opener, message: message, count: count, plaintext: packet.bytes, counter: counter))
        opened.append(packet)
        if isForSeveral, (item + 1).isMultiple(of: Self.messagesAPortion) { portions.append(item + 1) }
    }

    /// All messages that were added since the last call are this session's.
    mutating func endSession(_ session: Keypair, _ path: Path, _ trafficClass: UInt8) {
        sessions.append(Session(keypair: session, path: path, trafficClass: trafficClass, end: opened.count))
    }

    /// Nothing more is added; `batch` has the runs, whose buffers are kept until the end.
    mutating func close(_ batch: inout PacketBatch) {
        runs.exchangePackets(with: &batch)
        if opened.count > (portions.last ?? 0) { portions.append(opened.count) }
    }

    // MARK: Opening

    func work(on range: Range<Int>, _ aead: AEAD) {
        for index in range {
            let item = unsafe items + index
            unsafe item.pointee.isAuthentic = item.pointee.opener.open(
                item.pointee.message, item.pointee.count, to: item.pointee.plaintext, aead)
        }
    }

    // MARK: What came of it

    /// Puts the packets that go on into `batch`, which is empty, and is empty itself. `settle` is told of each session in order,
    /// and says of each of its messages whether the packet goes on; what does not has been counted.
    mutating func finish(
        into batch: inout PacketBatch,
        _ settle: (
            _ session: Session,
            _ messages: (_ decide: (inout Packet, _ counter: UInt64, _ isAuthentic: Bool) -> Bool) -> Void
        ) -> Void
    ) {
        batch.exchangePackets(with: &opened)
        var item = 0
        for session in sessions {
            settle(session) { decide in
                while item < session.end {
                    let (counter, isAuthentic) = unsafe (items[item].counter, items[item].isAuthentic)
                    unsafe items[item].goesOn = decide(&batch[item], counter, isAuthentic)
                    item += 1
                }
            }
        }
        let pool = batch.pool
        item = 0
        batch.sort { _ in
            defer { item += 1 }
            return unsafe items[item].goesOn ? .pass : .take
        } taken: {
            pool.recycle($0)
        }
        runs.removeAll()
        sessions.removeAll(keepingCapacity: true)
    }
}
