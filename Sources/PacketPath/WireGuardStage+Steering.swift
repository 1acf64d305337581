import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    /// The worker whose session or handshake a run is for. Initiations name no receiver: they are handed in where they
    /// arrive, or go with what is behind them.
    package func owner(of run: borrowing Packet) -> Int? {
        var messages = DatagramsOfRun(run)
        while let message = messages.next() {
            if let owner = owner(of: message) { return owner }
        }
        return nil
    }

    /// Takes runs apart whose messages are for different workers. The kernel makes runs by addresses and lengths alone:
    /// whoever can send from a peer's address can put a message of his own into a run of the peer's.
    package func separate(_ batch: inout PacketBatch) {
        var isAnyMixed = false
        for index in 0..<batch.count where isMixed(batch[index]) { isAnyMixed = true }
        guard isAnyMixed else { return }
        batch.drain { run in
            if isMixed(run) {
                cut(run)
                pool.recycle(run)
            } else if separated.isFull {
                drops.count(.batchFull, run.wirePackets)
                pool.recycle(run)
            } else {
                separated.append(run)
            }
        }
        batch.exchangePackets(with: &separated)
    }

    private func isMixed(_ run: borrowing Packet) -> Bool {
        guard run.datagramSize > 0, run.datagramSize < run.count else { return false }
        var messages = DatagramsOfRun(run)
        var first: Int?
        while let message = messages.next() {
            guard let owner = owner(of: message) else { continue }
            if let first, first != owner { return true }
            first = owner
        }
        return false
    }

    /// Each stretch of messages for one worker becomes a run of its own.
    private func cut(_ run: borrowing Packet) {
        var messages = DatagramsOfRun(run)
        var stretch = 0..<0
        var first: Int?
        while let message = messages.next() {
            let owner = owner(of: message)
            if let owner, let first, first != owner {
                append(stretch, of: run)
                stretch = message.range
            } else {
                stretch = stretch.lowerBound..<message.range.upperBound
            }
            if let owner { first = owner }
        }
        append(stretch, of: run)
    }

    private func append(_ stretch: Range<Int>, of run: borrowing Packet) {
        let datagrams = run.datagramSize > 0 ? (stretch.count + run.datagramSize - 1) / run.datagramSize : 1
        guard !separated.isFull else { return drops.count(.batchFull, datagrams) }
        var part = Packet(pool.take(Buffer.size(for: stretch.count)), count: stretch.count)
        unsafe part.bytes.copyMemory(from: run.bytes + stretch.lowerBound, byteCount: stretch.count)
        part.datagramSize = stretch.count > run.datagramSize ? run.datagramSize : 0
        part.path = run.path
        part.trafficClass = run.trafficClass
        separated.append(part)
    }

    private func owner(of message: DatagramsOfRun.Message) -> Int? {
        guard let type = message.type, type != .initiation else { return nil }
        return indices.owner(of: unsafe DataMessage.receiverIndex(at: message.start, type: type))
    }
}
