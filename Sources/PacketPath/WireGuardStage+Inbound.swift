import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package func inbound(_ batch: inout PacketBatch) {
        let interface = interfaces[batch.interface.index]
        let ticket = opening.take()
        ticket.begin(interface.id, batch.now)
        ticket.contents.begin(isForSeveral: isWorthSharing(batch, opening.isEmpty))
        fill(&ticket.contents, from: &batch, interface)
        submit(ticket, &batch)
        collect(interface.engine, interface.id)
    }

    private func fill(_ work: inout OpeningWork, from batch: inout PacketBatch, _ interface: Interface) {
        for index in 0..<batch.count { fill(&work, from: batch[index], interface, batch.now) }
        work.close(&batch)
    }

    /// Takes a run of datagrams from one sender apart.
    private func fill(_ work: inout OpeningWork, from run: borrowing Packet, _ interface: Interface, _ now: Instant) {
        guard let path = run.path else { return }
        var datagrams = DatagramsOfRun(run)
        while let message = datagrams.next() {
            guard let type = message.type else {
                rejections.count(.notWireGuard)
                continue
            }
            guard type == .data else {
                let rejection = unsafe takeHandshake(message.start, type, path, interface, now)
                if let rejection { rejections.count(rejection) }
                continue
            }
            let receiver = unsafe DataMessage.receiverIndex(at: message.start, type: type)
            guard let keypair = interface.engine.keypair(receiver) else {
                rejections.count(.unknownReceiver)
                continue
            }
            fill(&work, from: keypair, message, &datagrams, now)
            work.endSession(keypair, path, run.trafficClass)
        }
    }

    /// Takes a data message and those of the same session that follow it.
    private func fill(
        _ work: inout OpeningWork, from keypair: Keypair, _ first: DatagramsOfRun.Message,
        _ datagrams: inout DatagramsOfRun,
        _ now: Instant
    ) {
        let opener = keypair.opener
        var message = first
        while true {
            let counter = unsafe DataMessage.counter(at: message.start)
            if work.isFull {
                drops.count(.batchFull)
            } else if let refusal = keypair.refusal(of: counter, now) {
                rejections.count(refusal)
            } else {
                unsafe work.add(message.start, message.count, counter: counter, opener)
            }
            guard let next = datagrams.next(isFor: keypair.localIndex) else { break }
            message = next
        }
    }

    /// Puts what is authentic and new into the batch; what it adds up to is told to the engine once a session and run.
    func finish(_ ticket: WorkTicket<OpeningWork>, into batch: inout PacketBatch) {
        let engine = interfaces[ticket.interface.index].engine
        ticket.contents.finish(into: &batch) { session, messages in
            let keypair = session.keypair
            var (bytes, packets) = (0, 0)
            messages { packet, counter, isAuthentic in
                if let rejection = isAuthentic ? keypair.commit(counter) : .forged {
                    rejections.count(rejection)
                    return false
                }
                bytes += packet.count + DataMessage.overhead
                // A keepalive has done its work.
                guard packet.count > 0 else { return false }
                packets += 1
                switch unsafe InnerPacket.length(of: packet.contents) {
                case .success(let length):
                    packet.count = length
                    packet.peer = keypair.peer
                    if ECN.concerns(session.trafficClass) {
                        unsafe ECN.decapsulate(packet.contents, outer: session.trafficClass)
                    }
                    return true
                case .failure(let fault):
                    drops.count(Drop(fault))
                    return false
                }
            }
            // Packets, as `sealed` counts them: no keepalives.
            received += UInt64(packets)
            if bytes > 0 {
                engine.received(on: keypair, from: session.path, bytes: bytes, packets: packets, ticket.now)
            }
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

extension WireGuardStage.Drop {
    init(_ fault: InnerPacket.Fault) {
        switch fault {
        case .tooShort: self = .innerTooShort
        case .notIP: self = .innerNotIP
        case .lyingLength: self = .innerLyingLength
        }
    }
}
