import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package func outbound(_ batch: inout PacketBatch) {
        let interface = interfaces[batch.interface.index]
        seal(&batch, interface, into: &builder)
        collect(interface.engine, batch.interface)
    }

    private func seal(_ batch: inout PacketBatch, _ interface: Interface, into builder: inout RunBuilder) {
        let now = batch.now
        var run = SealingRun()
        batch.drain { packet in
            if run.isElsewhere(packet.peer) {
                settle(run, interface, now)
                run = SealingRun(interface.engine.peer(packet.peer))
            }
            guard let peer = run.peer, let remote = run.remote else {
                undeliverable.note(packet, on: interface.id, now)
                drops.count(.noEndpoint, packet.wirePackets)
                return pool.recycle(packet)
            }
            if unsafe interface.engine.isOwnMessage(packet.contents, to: peer, remote) {
                interface.engine.reportLoop(of: peer)
                drops.count(.endpointInTunnel, packet.wirePackets)
                return pool.recycle(packet)
            }
            // What waits goes first, so that the order within a flow holds.
            guard staging.isEmpty || staging[peer.id] == nil else { return stage(packet) }
            if let refused = seal(packet, peer, &run, interface, now, into: &builder) { stage(refused) }
        }
        settle(run, interface, now)
        builder.finish(into: &batch)
    }

    /// Seals a packet for the run's peer behind what is in the builder; gives it back where there is no session, or no room in
    /// this batch.
    func seal(
        _ packet: consuming Packet, _ peer: Peer, _ run: inout SealingRun, _ interface: Interface, _ now: Instant,
        into builder: inout RunBuilder
    ) -> Packet? {
        let messages = packet.wirePackets
        let longest = packet.largestSegment
        let padded = interface.limits.paddedLength(longest)
        // What no batch could hold would wait for room for ever.
        guard RunBuilder.canHold(messages, size: padded + DataMessage.overhead) else {
            drops.count(.tooLarge, messages)
            pool.recycle(packet)
            return nil
        }
        guard builder.hasRoom(for: messages, size: padded + DataMessage.overhead) else {
            // Staged, and released with the next turn.
            staging.waiting(for: peer.id).waitsForRoom = true
            pending[interface.id.index].append(.release(peer.id, orConfirm: false))
            return packet
        }
        guard let session = run.session, let first = session.takeCounters(messages, now) else {
            interface.engine.wantSession(peer, now)
            return packet
        }
        // One header gives all segments' bits.
        let trafficClass = unsafe IPPacket(packet.contents).map { ECN.outer(of: $0.trafficClass) } ?? 0
        if packet.offload.segmentation == .none {
            unsafe packet.offload.completeChecksum(of: packet.contents)
            let message = unsafe run.message(padded, trafficClass, in: &builder)
            unsafe session.seal(first, packet.bytes, packet.count, padded: padded, to: message)
        } else {
            let counters = first..<first + UInt64(messages)
            var counter = counters.lowerBound
            var segmenter = unsafe Segmenter(packet.bytes, count: packet.count, packet.offload)
            while let segment = segmenter.next() {
                // Whatever the headers say: a counter that was not given out is never used.
                precondition(counter < counters.upperBound, "more segments than counters")
                let padded = segment.count == longest ? padded : interface.limits.paddedLength(segment.count)
                let message = unsafe run.message(padded, trafficClass, in: &builder)
                unsafe session.seal(counter, packet.bytes + segment.offset, segment.count, padded: padded, to: message)
                counter += 1
            }
        }
        run.messages += messages
        pool.recycle(packet)
        return nil
    }

    /// Tells the engine of a run that has ended.
    func settle(_ run: SealingRun, _ interface: Interface, _ now: Instant) {
        guard let peer = run.peer, run.messages > 0 else { return }
        sealed += UInt64(run.messages)
        interface.engine.sent(peer, bytes: run.bytes, now)
    }
}

/// Consecutive packets to one peer: it is looked up once, and what they add up to is told once. Nothing comes in and no time
/// passes meanwhile, so that it stays where it is, with the session that it has.
struct SealingRun {
    let peer: Peer?
    let session: Keypair?
    private let id: PeerID
    private let path: Path?
    /// Of what was sealed.
    var messages = 0
    var bytes = 0

    init(_ peer: Peer? = nil) {
        self.peer = peer
        (id, path, session) = (peer?.id ?? .none, peer?.path, peer?.session)
    }

    /// nil while nobody knows where the peer is.
    var remote: Endpoint? { path?.remote }

    func isElsewhere(_ peer: PeerID) -> Bool { peer != id || self.peer == nil }

    /// Room for a message of `padded` bytes of plaintext.
    mutating func message(
        _ padded: Int, _ trafficClass: UInt8, in builder: inout RunBuilder
    ) -> UnsafeMutableRawPointer {
        let size = padded + DataMessage.overhead
        bytes += size
        return unsafe builder.message(to: id, path, size: size, trafficClass: trafficClass)
    }
}

extension Keypair {
    /// Seals `count` bytes and zeros behind them, `padded` bytes in all. What stands there, as the next segment's payload, is
    /// put back.
    fileprivate func seal(
        _ counter: UInt64, _ source: UnsafeMutableRawPointer, _ count: Int, padded: Int,
        to message: UnsafeMutableRawPointer
    ) {
        guard padded > count else { return unsafe seal(counter, source, padded, to: message) }
        let behind = unsafe source + count
        let kept = unsafe behind.loadUnaligned(as: SIMD16<UInt8>.self)
        unsafe behind.storeBytes(of: SIMD16<UInt8>(), as: SIMD16<UInt8>.self)
        unsafe seal(counter, source, padded, to: message)
        unsafe behind.storeBytes(of: kept, as: SIMD16<UInt8>.self)
    }
}
