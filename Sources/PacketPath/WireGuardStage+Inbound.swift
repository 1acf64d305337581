import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package func inbound(_ batch: inout PacketBatch) {
        let interface = interfaces[batch.interface.index]
        let id = batch.interface
        let now = batch.now
        batch.drain { run in
            open(run, interface, now)
            pool.recycle(run)
        }
        batch.exchangePackets(with: &opened)
        collect(interface.engine, id)
    }

    /// Takes a run of datagrams from one sender apart.
    private func open(_ run: borrowing Packet, _ interface: Interface, _ now: Instant) {
        guard let path = run.path else { return }
        let size = run.datagramSize > 0 ? run.datagramSize : max(run.count, 1)
        var session = SessionRun()
        var offset = 0
        repeat {
            let count = min(size, run.count - offset)
            let message = unsafe UnsafeRawPointer(run.bytes + offset)
            offset += size
            guard let type = unsafe MessageType(at: message, count: count) else {
                rejections.count(.notWireGuard)
                continue
            }
            guard type == .data else {
                session.settle(interface.engine, path, now)
                if let rejection = unsafe takeHandshake(message, type, path, interface, now) {
                    rejections.count(rejection)
                }
                continue
            }
            let receiver = unsafe DataMessage.receiverIndex(at: message, type: type)
            if session.keypair?.localIndex != receiver {
                session.settle(interface.engine, path, now)
                session = SessionRun(keypair: interface.engine.keypair(receiver))
            }
            guard let keypair = session.keypair else {
                rejections.count(.unknownReceiver)
                continue
            }
            guard !opened.isFull else {
                drops.count(.batchFull)
                continue
            }
            unsafe openData(message, count, run.trafficClass, keypair, &session, now)
        } while offset < run.count
        session.settle(interface.engine, path, now)
    }

    private func openData(
        _ message: UnsafeRawPointer, _ count: Int, _ trafficClass: UInt8, _ keypair: Keypair,
        _ session: inout SessionRun, _ now: Instant
    ) {
        let plaintext = count - DataMessage.overhead
        var packet = Packet(pool.take(Buffer.size(for: plaintext)), count: plaintext)
        if let rejection = unsafe keypair.open(message, count, to: packet.bytes, now) {
            rejections.count(rejection)
            return pool.recycle(packet)
        }
        session.bytes += count
        guard plaintext > 0 else { return pool.recycle(packet) }
        // Packets, as `sealed` counts them: no keepalives.
        received += 1
        session.packets += 1
        switch unsafe InnerPacket.length(of: packet.contents) {
        case .success(let length):
            packet.count = length
            packet.peer = keypair.peer
            if ECN.concerns(trafficClass) { unsafe ECN.decapsulate(packet.contents, outer: trafficClass) }
            opened.append(packet)
        case .failure(let fault):
            drops.count(Drop(fault))
            pool.recycle(packet)
        }
    }

    /// Messages of types 1 to 3, each of its full length. Those that take a Diffie-Hellman leave the packet path here; those
    /// of somebody who does not even know our public key go no further.
    private func takeHandshake(
        _ message: UnsafeRawPointer, _ type: MessageType, _ path: Path, _ interface: Interface, _ now: Instant
    ) -> Rejection? {
        guard type != .cookieReply else { return unsafe interface.engine.consume(cookieReply: message, now) }
        if let refusal = unsafe interface.engine.refusal(of: message, type) { return refusal }
        let work: HandshakeQueue.Work
        switch type {
        case .response:
            guard let handshake = unsafe interface.engine.handshake(for: message) else { return .unknownReceiver }
            work = .response(unsafe HandshakeMessage(message, type, from: path), handshake)
        case .initiation, .cookieReply, .data: work = .initiation(unsafe HandshakeMessage(message, type, from: path))
        }
        if !handshakes.submit(work, on: interface.id, from: worker) { drops.count(.handshakeQueueFull) }
        return nil
    }
}

// What comes back from where handshakes are computed.
extension WireGuardStage {
    package func finish(_ computed: ComputedInitiation, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        engine.finish(computed, now)
        collect(engine, id)
    }

    package func finish(_ answer: AnsweredInitiation, on id: InterfaceID, from path: Path, _ now: Instant) {
        let engine = interfaces[id.index].engine
        if let rejection = engine.finish(answer, from: path, now) { rejections.count(rejection) }
        collect(engine, id)
    }

    package func finish(_ concluded: ConcludedHandshake, on id: InterfaceID, from path: Path, _ now: Instant) {
        let engine = interfaces[id.index].engine
        if let rejection = engine.finish(concluded, from: path, now) { rejections.count(rejection) }
        collect(engine, id)
    }
}

/// Consecutive messages of one session: what they add up to is told to the engine once.
private struct SessionRun {
    var keypair: Keypair?
    var bytes = 0
    var packets = 0

    mutating func settle(_ engine: Engine, _ path: Path, _ now: Instant) {
        if let keypair, bytes > 0 { engine.received(on: keypair, from: path, bytes: bytes, packets: packets, now) }
        self = SessionRun()
    }
}

extension WireGuardStage.Drop {
    init(_ fault: InnerPacket.Fault) {
        switch fault {
        case .tooShort: self = .innerTooShort
        case .notIP: self = .innerNotIP
        case .lyingLength: self = .innerLyingLength
        }
    }
}
