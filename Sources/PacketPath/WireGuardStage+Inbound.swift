import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package func inbound(_ batch: inout PacketBatch) {
        let interface = interfaces[batch.interface.index]
        let id = batch.interface
        let now = batch.now
        batch.drain { run in
            open(run, interface, id, now)
            pool.recycle(run)
        }
        batch.exchangePackets(with: &opened)
        collect(interface.engine, id)
    }

    /// Takes a run of datagrams from one sender apart.
    private func open(_ run: borrowing Packet, _ interface: Interface, _ id: InterfaceID, _ now: Instant) {
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
                if let rejection = unsafe takeHandshake(message, type, path, interface, id, now) {
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
            unsafe openData(message, count, keypair, &session, now)
        } while offset < run.count
        session.settle(interface.engine, path, now)
    }

    private func openData(
        _ message: UnsafeRawPointer, _ count: Int, _ keypair: Keypair, _ session: inout SessionRun, _ now: Instant
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
            opened.append(packet)
        case .failure(let fault):
            drops.count(Drop(fault))
            pool.recycle(packet)
        }
    }

    /// Messages of types 1 to 3, each of its full length.
    private func takeHandshake(
        _ message: UnsafeRawPointer, _ type: MessageType, _ path: Path, _ interface: Interface, _ id: InterfaceID,
        _ now: Instant
    ) -> Rejection? {
        let engine = interface.engine
        guard type != .cookieReply else { return unsafe engine.consume(cookieReply: message, now) }
        guard unsafe engine.identity.verifiesMAC1(of: message, type) else { return .badMAC1 }
        guard type == .initiation else { return unsafe engine.consume(response: message, from: path, now) }
        guard let initiation = unsafe engine.identity.identify(message) else { return .invalidInitiation }
        guard let owner = directories[id.index][initiation.sender] else { return .unknownPeer }
        guard owner == worker else {
            if !refer(owner, id, initiation, path) { drops.count(.ownerBusy) }
            return nil
        }
        return engine.consume(initiation, from: path, now)
    }

    /// An initiation that another worker has identified.
    package func consume(_ initiation: IdentifiedInitiation, on id: InterfaceID, from path: Path, _ now: Instant) {
        let engine = interfaces[id.index].engine
        if let rejection = engine.consume(initiation, from: path, now) { rejections.count(rejection) }
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
