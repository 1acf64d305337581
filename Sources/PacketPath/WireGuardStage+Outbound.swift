import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package func outbound(_ batch: inout PacketBatch) {
        let interface = interfaces[batch.interface.index]
        let now = batch.now
        batch.drain { packet in
            let peer = packet.peer
            guard let path = interface.engine.path(to: peer) else {
                undeliverable.note(packet, on: interface.id, now)
                drops.count(.noEndpoint, packet.wirePackets)
                return pool.recycle(packet)
            }
            if unsafe interface.engine.isOwnMessage(packet.contents, to: peer, path.remote) {
                interface.engine.reportLoop(of: peer)
                drops.count(.endpointInTunnel, packet.wirePackets)
                return pool.recycle(packet)
            }
            // What waits goes first, so that the order within a flow holds.
            guard staging.isEmpty || staging[peer] == nil else { return stage(packet) }
            if let refused = seal(packet, path, interface, now) { stage(refused) }
        }
        builder.finish(into: &batch)
        collect(interface.engine, batch.interface)
    }

    /// Seals a packet behind what is in the builder; gives it back where there is no session, or no room in this batch.
    func seal(_ packet: consuming Packet, _ path: Path, _ interface: Interface, _ now: Instant) -> Packet? {
        let peer = packet.peer
        let messages = packet.wirePackets
        let largest = interface.limits.paddedLength(packet.largestSegment) + DataMessage.overhead
        // What no batch could hold would wait for room for ever.
        guard largest <= Limits.bytesPerRun, RunBuilder.runs(for: messages, size: largest) <= PacketBatch.capacity
        else {
            drops.count(.tooLarge, messages)
            pool.recycle(packet)
            return nil
        }
        guard builder.hasRoom(for: messages, size: largest) else {
            // Staged, and released with the next turn.
            staging.waiting(for: peer).waitsForRoom = true
            pending[interface.id.index].append(.release(peer, orConfirm: false))
            return packet
        }
        guard let permit = interface.engine.permit(peer, count: messages, now) else { return packet }

        // One header gives all segments' bits.
        let trafficClass = unsafe IPPacket(packet.contents).map { ECN.outer(of: $0.trafficClass) } ?? 0
        var segmenter = unsafe Segmenter(packet.bytes, count: packet.count, packet.offload)
        var counter = permit.firstCounter
        var bytes = 0
        while let segment = segmenter.next() {
            // Whatever the headers say: a counter that was not given out is never used.
            precondition(counter < permit.counters.upperBound, "more segments than counters")
            let padded = interface.limits.paddedLength(segment.count)
            let size = padded + DataMessage.overhead
            let source = unsafe packet.bytes + segment.offset
            let message = unsafe builder.message(to: peer, path, size: size, trafficClass: trafficClass)
            if padded == segment.count {
                unsafe permit.keypair.seal(counter, source, padded, to: message)
            } else {
                // The padding is zeros, and stands where the next segment's payload is.
                let behind = unsafe source + segment.count
                let kept = unsafe behind.loadUnaligned(as: SIMD16<UInt8>.self)
                unsafe behind.storeBytes(of: SIMD16<UInt8>(), as: SIMD16<UInt8>.self)
                unsafe permit.keypair.seal(counter, source, padded, to: message)
                unsafe behind.storeBytes(of: kept, as: SIMD16<UInt8>.self)
            }
            counter += 1
            bytes += size
        }
        sealed += counter - permit.firstCounter
        interface.engine.sent(peer, bytes: bytes, now)
        pool.recycle(packet)
        return nil
    }
}
