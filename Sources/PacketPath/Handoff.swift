import Pipeline
import Wire

/// The packets of one batch that belong to other workers: sorted out by owner and sent on, one parcel an owner.
///
/// A peer has one owner, and a sender's parcels arrive in the order they were sent, so the order within a flow holds.
struct Handoff {
    enum Drop: Int, DropReason {
        case mailboxFull
        var name: String {
            switch self {
            case .mailboxFull: "handoff-full"
            }
        }
    }

    let worker: Int
    let mailboxes: [Mailbox]
    private let pool: BufferPool
    private var open: [Parcel?]
    private var spare: [Parcel] = []
    private(set) var drops = DropCounters<Drop>()
    private(set) var handedOver: UInt64 = 0

    init(worker: Int, mailboxes: [Mailbox], pool: BufferPool) {
        self.worker = worker
        self.mailboxes = mailboxes
        self.pool = pool
        open = Array(repeating: nil, count: mailboxes.count)
    }

    var hasOthers: Bool { mailboxes.count > 1 }

    /// Takes out of `batch` what `owner` says belongs elsewhere (nil: wherever it is) and sends it there.
    mutating func sort(
        _ batch: inout PacketBatch, _ direction: Direction, owner: (borrowing Packet) -> Int?
    ) {
        guard hasOthers else { return }
        let (interface, now) = (batch.interface, batch.now)
        var destination = worker
        // `decide` and `taken` are called in turn for each packet: what the first found out, the second uses.
        batch.sort { packet in
            destination = owner(packet) ?? worker
            return destination == worker ? .pass : .take
        } taken: { packet in
            parcel(for: destination, interface, now, direction).batch.append(packet)
        }
        send()
    }

    private mutating func parcel(
        for owner: Int, _ interface: InterfaceID, _ now: Instant, _ direction: Direction
    ) -> Parcel {
        if let parcel = open[owner] { return parcel }
        let parcel = spare.popLast() ?? Parcel()
        parcel.batch.interface = interface
        parcel.batch.now = now
        parcel.direction = direction
        open[owner] = parcel
        return parcel
    }

    private mutating func send() {
        for owner in open.indices {
            guard let parcel = open[owner] else { continue }
            open[owner] = nil
            let packets = parcel.batch.wirePackets
            let (sent, empty) = mailboxes[owner].send(parcel)
            if sent {
                handedOver += UInt64(packets)
                if let empty {
                    for size in Buffer.Size.allCases { empty.spares.give(.max, size, to: pool) }
                    spare.append(empty)
                }
            } else {
                drops.count(.mailboxFull, packets)
                parcel.batch.drain { pool.recycle($0) }
                spare.append(parcel)
            }
        }
    }
}
