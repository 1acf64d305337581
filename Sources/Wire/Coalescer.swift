/// Finds the packets of a batch that the kernel may take as one: the inverse of the `Segmenter`, the job of GRO.
///
/// Packets are added in the order they came in, then the runs are read, in the order of their first packets. A packet
/// joins the latest run of its flow or starts a new one, so the packets of a flow stay in order, while those of
/// different flows may pass each other. Nothing is joined but what segmenting would give back bit for bit (but for the
/// identification of IPv4 packets with DF, which means nothing: RFC 6864 §4.1), and nothing whose checksums don't hold:
/// the kernel would write new ones and so hide the damage.
///
/// The packets' bytes are borrowed from `add` until `removeAll`. All storage is allocated once.
@safe public struct Coalescer: ~Copyable {
    /// The most packets in a run: more than fit at any usual MTU, and what kernels take for UDP (UDP_MAX_SEGMENTS).
    public static let runBound = 64
    /// The most flows with an open run; beyond it they are closed in turn.
    static let openBound = 32
    /// The most bytes of a joined packet: what IPv4's length field holds.
    static let lengthBound = 65_535

    /// Whether TCP packets may be joined.
    public var joinsTCP = true
    /// Whether UDP packets may be joined.
    public var joinsUDP = true

    @safe private struct Piece {
        var bytes: UnsafeMutableRawPointer
        var count: Int
        /// The number of the next packet of the run, -1 at its end.
        var next: Int
    }

    private struct OpenRun {
        var addresses: UInt64
        var ports: UInt64
        var run: Int
    }

    private let capacity: Int
    private let pieces: UnsafeMutablePointer<Piece>
    private let runs: UnsafeMutablePointer<CoalescedRun>
    private let open: UnsafeMutablePointer<OpenRun>
    private var pieceCount = 0
    /// How many runs there are to be read.
    public private(set) var runCount = 0
    private var openCount = 0
    /// The open run to close next when there are too many.
    private var turn = 0
    /// The open run that a packet joined last: most likely the next one's too.
    private var latest = 0

    /// For batches of up to `capacity` packets.
    public init(capacity: Int) {
        self.capacity = capacity
        unsafe pieces = .allocate(capacity: capacity)
        unsafe runs = .allocate(capacity: capacity)
        unsafe open = .allocate(capacity: Self.openBound)
    }

    deinit {
        unsafe pieces.deallocate()
        unsafe runs.deallocate()
        unsafe open.deallocate()
    }

    /// Forgets all packets.
    public mutating func removeAll() {
        pieceCount = 0
        runCount = 0
        openCount = 0
        turn = 0
        latest = 0
    }

    /// Adds the next packet, whose number is how many came before it. One that is `alone` isn't joined, but keeps its
    /// place in its flow.
    public mutating func add(_ bytes: UnsafeMutableRawPointer, count: Int, alone: Bool = false) {
        precondition(pieceCount < capacity)
        let number = pieceCount
        unsafe (pieces + number).initialize(to: Piece(bytes: bytes, count: count, next: -1))
        pieceCount += 1

        let header = unsafe FlowHeader(bytes, count: count)
        guard !alone, header.kind != .other else {
            closeRuns(between: header.addresses)
            start(number, header, isIntact: false)
            return
        }
        guard header.kind == .tcp ? joinsTCP : joinsUDP else {
            start(number, header, isIntact: false)
            return
        }
        var attempt = Attempt.mismatch
        if let slot = slot(of: header) {
            attempt = header.isJoinable ? join(number, header, slot) : .mismatch
            if attempt == .joined { return }
            close(slot)
        }
        start(number, header, isIntact: attempt == .intactMismatch)
        let pushes = header.flags & TCPField.psh != 0 && header.kind == .tcp
        if header.isJoinable, attempt != .corrupt, !pushes { openRun(runCount - 1, header) }
    }
}

extension Coalescer {
    private enum Attempt {
        case joined
        /// It doesn't continue the run.
        case mismatch
        /// It would, and is intact, but the run's first packet is damaged.
        case intactMismatch
        /// It is damaged itself.
        case corrupt
    }

    private mutating func join(_ number: Int, _ header: FlowHeader, _ slot: Int) -> Attempt {
        let index = unsafe open[slot].run
        let run = unsafe runs + index
        let (bytes, count) = unsafe (UnsafeRawPointer(pieces[number].bytes), pieces[number].count)
        let head = unsafe UnsafeRawPointer(pieces[run.pointee.first].bytes)
        let payload = count - header.length
        guard unsafe run.pointee.count < Self.runBound, unsafe run.pointee.totalLength + payload <= Self.lengthBound,
            unsafe payload <= run.pointee.segmentSize, unsafe header.length == run.pointee.headerLength,
            unsafe header.version == run.pointee.version,
            unsafe header.kind == .udp
                || bytes.networkLong(at: header.transport + TCPField.sequence) == run.pointee.sequence,
            unsafe header.isRepeated(head, in: bytes)
        else { return .mismatch }
        if let identification = unsafe run.pointee.identification {
            let expected = unsafe identification &+ UInt16(truncatingIfNeeded: run.pointee.count)
            guard unsafe bytes.networkWord(at: IPv4Field.identification) == expected else { return .mismatch }
        }
        guard unsafe header.isIntact(bytes, count: count) else { return .corrupt }
        if unsafe !run.pointee.isFirstIntact {
            guard unsafe header.isIntact(head, count: pieces[run.pointee.first].count) else { return .intactMismatch }
            unsafe run.pointee.isFirstIntact = true
        }
        unsafe append(number, header, payload, to: run)
        if unsafe payload < run.pointee.segmentSize || run.pointee.pushes { close(slot) }
        return .joined
    }

    private func append(_ number: Int, _ header: FlowHeader, _ payload: Int, to run: UnsafeMutablePointer<CoalescedRun>)
    {
        unsafe (pieces + run.pointee.last).pointee.next = number
        unsafe run.pointee.last = number
        unsafe run.pointee.count += 1
        unsafe run.pointee.totalLength += payload
        unsafe run.pointee.sequence &+= UInt32(truncatingIfNeeded: payload)
        unsafe run.pointee.segmentation = header.kind == .tcp ? .tcp : .udp
        unsafe run.pointee.pushes = header.kind == .tcp && header.flags & TCPField.psh != 0
    }

    private mutating func start(_ number: Int, _ header: FlowHeader, isIntact: Bool) {
        let piece = unsafe pieces[number]
        unsafe (runs + runCount).initialize(
            to: CoalescedRun(number: number, bytes: piece.bytes, count: piece.count, header: header, isIntact: isIntact)
        )
        runCount += 1
    }
}

// The open runs: a small table, searched from the latest hit on.
extension Coalescer {
    private mutating func slot(of header: FlowHeader) -> Int? {
        if latest < openCount, isOpen(latest, for: header) { return latest }
        for slot in 0..<openCount where isOpen(slot, for: header) {
            latest = slot
            return slot
        }
        return nil
    }

    private func isOpen(_ slot: Int, for header: FlowHeader) -> Bool {
        unsafe open[slot].addresses == header.addresses && open[slot].ports == header.ports
    }

    private mutating func openRun(_ run: Int, _ header: FlowHeader) {
        var slot = openCount
        if slot == Self.openBound {
            slot = turn
            turn = (turn + 1) % Self.openBound
        } else {
            openCount += 1
        }
        unsafe (open + slot).initialize(to: OpenRun(addresses: header.addresses, ports: header.ports, run: run))
        latest = slot
    }

    /// The run takes no more packets; the last slot moves into its place.
    private mutating func close(_ slot: Int) {
        openCount -= 1
        unsafe (open + slot).pointee = (open + openCount).pointee
    }

    /// For a packet that doesn't show its ports: it may belong to any flow between its addresses.
    private mutating func closeRuns(between addresses: UInt64) {
        var slot = 0
        while slot < openCount {
            if unsafe open[slot].addresses == addresses { close(slot) } else { slot += 1 }
        }
    }
}

// Reading the runs.
extension Coalescer {
    /// Run `index` of `runCount`, in the order to be written.
    public subscript(index: Int) -> CoalescedRun {
        precondition(index >= 0 && index < runCount)
        return unsafe runs[index]
    }

    /// The number of the packet that follows packet `number` in its run; nil at the end.
    public func packet(after number: Int) -> Int? {
        precondition(number >= 0 && number < pieceCount)
        let next = unsafe pieces[number].next
        return next < 0 ? nil : next
    }

    /// Rewrites the headers of the run's first packet to be those of the whole, and gives what the kernel has to know
    /// of it; `separate` undoes it. A packet on its own stays as it is.
    public mutating func join(_ index: Int) -> VirtioHeader {
        precondition(index >= 0 && index < runCount)
        return unsafe (runs + index).pointee.join(pieces[runs[index].first].bytes)
    }

    /// Gives the first packet back the headers that it had before `join`, so that the packets can be written one by one.
    public func separate(_ index: Int) {
        precondition(index >= 0 && index < runCount)
        unsafe runs[index].separate(pieces[runs[index].first].bytes)
    }
}
