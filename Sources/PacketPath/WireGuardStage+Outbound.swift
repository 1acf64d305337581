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
        let engine = interface.engine
        let now = batch.now
        batch.drainByPeer { id, packets in
            guard let peer = engine.peer(id), let path = peer.path else {
                return packets { packet in
                    undeliverable.note(packet, on: interface.id, now)
                    drops.count(.noEndpoint, packet.wirePackets)
                    pool.recycle(packet)
                }
            }
            let session = peer.session
            var run = SealingRun(id, path)
            packets { packet in
                let ip = unsafe IPPacket(packet.contents)
                // Only few packets go to an endpoint's address: the rest is worth no more than this.
                if let ip, ip.destination == path.remote.address, engine.isOwnMessage(ip, to: peer, path.remote.port) {
                    engine.reportLoop(of: peer)
                    drops.count(.endpointInTunnel, packet.wirePackets)
                    return pool.recycle(packet)
                }
                // What waits goes first, so that the order within a flow holds.
                guard staging.isEmpty || staging[id] == nil else { return stage(packet) }
                run.look(at: ip)
                guard seal(packet, peer, session, &run, interface, now, into: &builder) else { return stage(packet) }
                pool.recycle(packet)
            }
            settle(run, peer, engine, now)
        }
        builder.finish(into: &batch)
    }

    /// Seals a packet for the peer behind what is in the builder. False where there is no session, or no room in this batch: it
    /// is to be staged.
    func seal(
        _ packet: borrowing Packet, _ peer: Peer, _ session: Keypair?, _ run: inout SealingRun,
        _ interface: borrowing Interface, _ now: Instant, into builder: inout RunBuilder
    ) -> Bool {
        let messages = packet.wirePackets
        let longest = packet.largestSegment
        let padded = interface.limits.paddedLength(longest)
        // What no batch could hold would wait for room for ever.
        guard RunBuilder.canHold(messages, size: padded + DataMessage.overhead) else {
            drops.count(.tooLarge, messages)
            return true
        }
        guard builder.hasRoom(for: messages, size: padded + DataMessage.overhead) else {
            // Staged, and released with the next turn.
            staging.waiting(for: peer.id).waitsForRoom = true
            pending[interface.id.index].append(.release(peer.id, orConfirm: false))
            return false
        }
        guard let session, let first = session.takeCounters(messages, now) else {
            interface.engine.wantSession(peer, now)
            return false
        }
        if packet.offload.segmentation == .none {
            unsafe packet.offload.completeChecksum(of: packet.contents)
            let message = unsafe run.message(padded, in: &builder)
            unsafe session.seal(first, packet.bytes, packet.count, padded: padded, to: message)
        } else {
            let counters = first..<first + UInt64(messages)
            var counter = counters.lowerBound
            var segmenter = unsafe Segmenter(packet.bytes, count: packet.count, packet.offload)
            while let segment = segmenter.next() {
                // Whatever the headers say: a counter that was not given out is never used.
                precondition(counter < counters.upperBound, "more segments than counters")
                let padded = segment.count == longest ? padded : interface.limits.paddedLength(segment.count)
                let message = unsafe run.message(padded, in: &builder)
                unsafe session.seal(counter, packet.bytes + segment.offset, segment.count, padded: padded, to: message)
                counter += 1
            }
        }
        run.messages += messages
        return true
    }

    /// Tells the engine of a run that has ended.
    func settle(_ run: SealingRun, _ peer: Peer, _ engine: Engine, _ now: Instant) {
        guard run.messages > 0 else { return }
        sealed += UInt64(run.messages)
        engine.sent(peer, bytes: run.bytes, now)
    }
}

/// Consecutive packets to one peer: what they add up to is told once. Nothing comes in and no time passes meanwhile, so that
/// it stays where it is, with the session that it has.
struct SealingRun {
    private let peer: PeerID
    private let path: Path
    /// The outer header's for the packet in hand.
    private var trafficClass: UInt8 = 0
    /// Of what was sealed.
    var messages = 0
    private(set) var bytes = 0

    init(_ peer: PeerID, _ path: Path) { (self.peer, self.path) = (peer, path) }

    /// The packet in hand: one header gives all segments' bits.
    mutating func look(at ip: IPPacket?) { trafficClass = ip.map { ECN.outer(of: $0.trafficClass) } ?? 0 }

    /// Room for a message of `padded` bytes of plaintext.
    mutating func message(_ padded: Int, in builder: inout RunBuilder) -> UnsafeMutableRawPointer {
        let size = padded + DataMessage.overhead
        bytes += size
        return unsafe builder.message(to: peer, path, size: size, trafficClass: trafficClass)
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
