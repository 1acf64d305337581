import Glibc
import Pipeline
import Wire

/// The sending half of a port: the packets of a batch through sendmmsg, and what to do when the kernel refuses one.
@safe struct Sender: ~Copyable {
    /// The most messages in one sendmmsg.
    static let messages = 64
    /// How often in a row a send that a signal has ended is tried again.
    static let interruptBound = 8

    /// One message of the vector: a packet, or one datagram of its run.
    private struct Entry {
        let packet: Int
        let offset: Int
        let count: Int
        /// The size that the kernel is to cut it into; 0 for a single datagram.
        let segmentSize: Int
        let datagrams: Int
    }

    /// The messages, and one more for those that are sent again by themselves.
    private var vector = MessageVector(capacity: messages + 1)
    private var entries = ContiguousArray<Entry>()
    private var fallback = SegmentationFallback()
    private let segmentation: Bool

    init(segmentation: Bool) {
        self.segmentation = segmentation
        entries.reserveCapacity(Self.messages)
    }

    /// Sends the packets of `family` through `socket`, in order. The batch keeps them.
    mutating func send(
        _ family: IPAddress.Family, through socket: CInt, from batch: inout PacketBatch, counters: inout UDPCounters
    ) {
        for index in 0..<batch.count {
            guard let path = batch[index].path, path.remote.address.family == family else { continue }
            let size = batch[index].datagramSize
            let count = batch[index].count
            let isRun = size > 0 && size < count
            if !isRun {
                add(index, 0, count, 0, path, through: socket, from: &batch, counters: &counters)
            } else if segmentation && !fallback.refuses(path.remote.address, size: size, now: batch.now) {
                add(index, 0, count, size, path, through: socket, from: &batch, counters: &counters)
            } else {
                var offset = 0
                while offset < count {
                    let length = min(size, count - offset)
                    add(index, offset, length, 0, path, through: socket, from: &batch, counters: &counters)
                    offset += length
                }
            }
        }
        flush(through: socket, from: &batch, counters: &counters)
    }

    private mutating func add(
        _ index: Int, _ offset: Int, _ count: Int, _ segmentSize: Int, _ path: Path, through socket: CInt,
        from batch: inout PacketBatch, counters: inout UDPCounters
    ) {
        if entries.count == Self.messages { flush(through: socket, from: &batch, counters: &counters) }
        let datagrams = segmentSize > 0 ? (count + segmentSize - 1) / segmentSize : 1
        unsafe vector.prepareToSend(
            entries.count, bytes: batch[index].bytes + offset, count: count, to: path.remote, from: path.local,
            trafficClass: batch[index].trafficClass, segmentSize: segmentSize)
        entries.append(
            Entry(packet: index, offset: offset, count: count, segmentSize: segmentSize, datagrams: datagrams))
    }

    /// Sends what has been added. sendmmsg stops at the first message that fails, and tells its error when it is
    /// called with that one in front.
    private mutating func flush(
        through socket: CInt, from batch: inout PacketBatch, counters: inout UDPCounters
    ) {
        var first = 0
        var interrupts = 0
        while first < entries.count {
            let sent = vector.send(to: socket, first: first, count: entries.count - first)
            if sent > 0 {
                for entry in entries[first..<first + sent] {
                    counters.countOut(datagrams: entry.datagrams, bytes: entry.count)
                }
                first += sent
                interrupts = 0
                continue
            }
            let error = errno
            if error == EINTR, interrupts < Self.interruptBound {
                interrupts += 1
                continue
            }
            if error == EAGAIN || error == EWOULDBLOCK {
                // The buffer holds megabytes, so the link is slower than what comes in for it. Waiting would hold up
                // every peer of this worker, both ways; a link that is full drops.
                for entry in entries[first...] { counters.drops.count(.sendBufferFull, entry.datagrams) }
                break
            }
            recover(entries[first], error, through: socket, from: &batch, counters: &counters)
            first += 1
        }
        entries.removeAll(keepingCapacity: true)
    }

    // MARK: When the kernel refuses

    /// Sends one message again that has failed with `error`: without its source if that may be the reason, then as
    /// single datagrams if it is a run; or drops it, by the reason that the kernel gives.
    private mutating func recover(
        _ entry: Entry, _ error: CInt, through socket: CInt, from batch: inout PacketBatch,
        counters: inout UDPCounters
    ) {
        guard let path = batch[entry.packet].path else { return }
        var outcome = error
        if path.local != nil, Self.mayBeTheSource(outcome) {
            outcome = sendAgain(entry, sourced: false, through: socket, from: &batch, counters: &counters)
            if outcome == 0 {
                counters.sourceFallbacks &+= 1
                batch.notices.appendSourceGone(batch[entry.packet].peer)
                return
            }
        }
        guard entry.segmentSize > 0, Self.mayBeTheSegmentation(outcome) else {
            counters.drops.count(Self.reason(outcome), entry.datagrams)
            return
        }
        // A network card without checksums refuses any run; a small MTU only those of datagrams that exceed it.
        fallback.remember(path.remote.address, size: outcome == EIO ? 0 : entry.segmentSize, now: batch.now)
        counters.segmentationFallbacks &+= 1
        sendSingly(entry, through: socket, from: &batch, counters: &counters)
    }

    private mutating func sendSingly(
        _ run: Entry, through socket: CInt, from batch: inout PacketBatch, counters: inout UDPCounters
    ) {
        var sourced = batch[run.packet].path?.local != nil
        var offset = run.offset
        while offset < run.offset + run.count {
            let length = min(run.segmentSize, run.offset + run.count - offset)
            let single = Entry(packet: run.packet, offset: offset, count: length, segmentSize: 0, datagrams: 1)
            var outcome = sendAgain(single, sourced: sourced, through: socket, from: &batch, counters: &counters)
            if sourced, Self.mayBeTheSource(outcome) {
                outcome = sendAgain(single, sourced: false, through: socket, from: &batch, counters: &counters)
                if outcome == 0 {
                    sourced = false
                    counters.sourceFallbacks &+= 1
                    batch.notices.appendSourceGone(batch[run.packet].peer)
                }
            }
            if outcome != 0 { counters.drops.count(Self.reason(outcome)) }
            offset += length
        }
    }

    /// Sends one message by itself: 0, or the error.
    private mutating func sendAgain(
        _ entry: Entry, sourced: Bool, through socket: CInt, from batch: inout PacketBatch,
        counters: inout UDPCounters
    ) -> CInt {
        guard let path = batch[entry.packet].path else { return EDESTADDRREQ }
        let spare = Self.messages
        unsafe vector.prepareToSend(
            spare, bytes: batch[entry.packet].bytes + entry.offset, count: entry.count, to: path.remote,
            from: sourced ? path.local : nil, trafficClass: batch[entry.packet].trafficClass,
            segmentSize: entry.segmentSize)
        for _ in 0..<Self.interruptBound {
            if vector.send(to: socket, first: spare, count: 1) == 1 {
                counters.countOut(datagrams: entry.datagrams, bytes: entry.count)
                return 0
            }
            if errno != EINTR { break }
        }
        return errno
    }

    /// What a source that is not ours, or not on that interface, or an interface that is gone may give. Any of them
    /// may have another reason too, which the send without a source then shows.
    private static func mayBeTheSource(_ error: CInt) -> Bool {
        switch error {
        case EINVAL, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENODEV, ENXIO, ENETDOWN: true
        default: false
        }
    }

    /// What a run that the kernel or the network card cannot cut may give: a segment longer than the route's MTU
    /// (EMSGSIZE, EINVAL before Linux 6.14; X-1), a card without checksums (EIO; X-6).
    private static func mayBeTheSegmentation(_ error: CInt) -> Bool {
        error == EMSGSIZE || error == EINVAL || error == EIO
    }

    private static func reason(_ error: CInt) -> UDPDrop {
        switch error {
        case EAGAIN: .sendBufferFull
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN: .unreachable
        case EPERM, EACCES: .notPermitted
        case EMSGSIZE: .tooLarge
        case ENOBUFS, ENOMEM: .noMemory
        default: .sendError
        }
    }
}
