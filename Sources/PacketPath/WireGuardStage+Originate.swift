import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package var nextDeadline: Instant {
        guard !isFirstDone else { return Instant(nanoseconds: 0) }
        var earliest = Instant.never
        for index in interfaces.indices {
            guard pending[index].isEmpty else { return Instant(nanoseconds: 0) }
            earliest = min(earliest, interfaces[index].engine.nextDeadline)
        }
        return earliest
    }

    /// What timers and handshakes demand: messages of their own, and the packets that waited for a session.
    package func originate(down: inout PacketBatch, up: inout PacketBatch) {
        let id = down.interface
        let interface = interfaces[id.index]
        let now = down.now
        if interface.engine.nextDeadline <= now {
            interface.engine.expire(now)
            collect(interface.engine, id)
        }
        let actions = pending[id.index]
        pending[id.index] = []
        if !actions.isEmpty {
            let ticket = sealing.take()
            ticket.begin(id, now)
            ticket.contents.begin(isForSeveral: false)
            act(actions, &ticket.contents, interface, now)
            collect(interface.engine, id)
            submit(ticket, &down)
        }
        takeUp(down: &down, up: &up)
        collect(interface.engine, id)
    }

    /// Moves what an engine wants done to where it waits for `originate`.
    func collect(_ engine: Engine, _ id: InterfaceID) {
        if !engine.outbox.isEmpty { pending[id.index] += engine.outbox.take() }
    }

    private func act(
        _ actions: [Outbox.Action], _ work: inout SealingWork, _ interface: Interface, _ now: Instant
    ) {
        for action in actions {
            if work.isFull {
                pending[interface.id.index].append(action)
            } else {
                act(action, &work, interface, now)
            }
        }
        work.close()
    }

    private func act(_ action: Outbox.Action, _ work: inout SealingWork, _ interface: Interface, _ now: Instant) {
        switch action {
        case .send(let message):
            var packet = Packet(pool.take(.small), count: message.count)
            packet.peer = message.peer
            packet.path = message.path
            packet.trafficClass = message.trafficClass
            unsafe message.copy(to: packet.bytes)
            work.append(packet)
        case .compute(let task):
            // Our own are never too many.
            _ = handshakes.submit(.initiate(task), on: interface.id, from: worker)
        case .release(let peer, let orConfirm):
            release(peer, orConfirm: orConfirm, &work, interface, now)
        case .purge(let peer):
            dropStaged(of: peer, .noAnswer)
        case .note(let peer, let event):
            note(peer, event)
        }
    }

    private func release(
        _ peer: PeerID, orConfirm: Bool, _ work: inout SealingWork, _ interface: Interface, _ now: Instant
    ) {
        guard let waiting = staging[peer] else {
            if orConfirm { interface.engine.sendKeepalive(to: peer, now) }
            return
        }
        guard let addressee = interface.engine.peer(peer), let path = addressee.path else { return }
        waiting.waitsForRoom = false
        guard let session = addressee.session else { return interface.engine.wantSession(addressee, now) }
        work.use(session)
        var run = SealingRun(peer, path)
        var goesOn = true
        while goesOn, let packet = staging.pop(waiting) {
            unsafe run.look(at: IPPacket(packet.contents))
            switch add(packet, to: &work, addressee, session, &run, interface, now) {
            case .pass: work.keep(packet)
            case .drop: pool.recycle(packet)
            case .take:
                // Without a session the next handshake's end releases it; without room the next turn does.
                staging.putBack(packet, waiting)
                goesOn = false
            }
        }
        settle(run, addressee, interface.engine, now)
        if goesOn { staging.removeAll(of: peer) }
    }
}
