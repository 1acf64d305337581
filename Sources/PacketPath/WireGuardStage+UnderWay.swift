import Pipeline
import Wire
import WireGuard

// Batches go through the cipher at once, on this worker's thread; or, where others have nothing to do and there is much of it,
// on several. What comes later then waits for its turn: tickets are taken up in the order in which they were filled.
extension WireGuardStage {
    /// So many bytes are worth waking somebody for: the cipher takes tens of microseconds for them.
    private static let bytesWorthSharing = 64 << 10

    /// Whether a batch is for several threads; `isFirst`: nothing is under way that it would come behind.
    func isWorthSharing(_ batch: borrowing PacketBatch, _ isFirst: Bool) -> Bool {
        guard let crew, !isFirst || !isCrowded && crew.isSomebodyIdle else { return false }
        var bytes = 0
        for index in 0..<batch.count { bytes += batch[index].count }
        return bytes >= Self.bytesWorthSharing
    }

    /// Sends a ticket on its way; what comes of it is in `batch`, which is empty, if that is at once.
    func submit(_ ticket: WorkTicket<SealingWork>, _ batch: inout PacketBatch) {
        ticket.close()
        guard let crew, !sealing.isEmpty || ticket.portions > 1 else {
            ticket.workAlone(aead)
            ticket.contents.finish(into: &batch)
            return sealing.recycle(ticket)
        }
        sealing.append(ticket)
        crew.offer(ticket)
    }

    func submit(_ ticket: WorkTicket<OpeningWork>, _ batch: inout PacketBatch) {
        ticket.close()
        guard let crew, !opening.isEmpty || ticket.portions > 1 else {
            ticket.workAlone(aead)
            finish(ticket, into: &batch)
            return opening.recycle(ticket)
        }
        opening.append(ticket)
        crew.offer(ticket)
    }

    /// Takes up the first tickets of the batches' interface, if they are done.
    func takeUp(down: inout PacketBatch, up: inout PacketBatch) {
        if down.isEmpty, let ticket = sealing.popDone(on: down.interface) {
            ticket.contents.finish(into: &down)
            sealing.recycle(ticket)
        }
        if up.isEmpty, let ticket = opening.popDone(on: up.interface) {
            finish(ticket, into: &up)
            opening.recycle(ticket)
        }
    }

    /// Whether there are tickets to be taken up at once.
    var isFirstDone: Bool { sealing.isFirstDone || opening.isFirstDone }

    /// Nothing is under way: between two turns the worker's state may change.
    package var isSettled: Bool { sealing.isEmpty && opening.isEmpty }

    /// Works on a portion of a ticket, of this worker's own first; false when there was none.
    package func help() -> Bool {
        guard let crew, let portion = crew.take(for: worker) else { return false }
        crew.finish(portion, aead)
        if portion.owner != worker { helped += 1 }
        return true
    }

    /// Whether nothing should come this way now: so much is under way that the rest is to wait where it is.
    package func isFull(_ direction: Direction) -> Bool {
        switch direction {
        case .outbound: sealing.isFull
        case .inbound: opening.isFull
        }
    }
}
