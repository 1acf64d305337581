import Pipeline
import Wire
import WireGuard

extension WireGuardStage {
    package func outbound(_ batch: inout PacketBatch) {
        let interface = interfaces[batch.interface.index]
        let ticket = sealing.take()
        ticket.begin(interface.id, batch.now)
        ticket.contents.begin(isForSeveral: isWorthSharing(batch, sealing.isEmpty))
        fill(&ticket.contents, from: &batch, interface)
        submit(ticket, &batch)
        collect(interface.engine, interface.id)
    }

    /// Takes all packets out of the batch: to be sealed, or to where they wait for a session.
    private func fill(_ work: inout SealingWork, from batch: inout PacketBatch, _ interface: Interface) {
        let engine = interface.engine
        let now = batch.now
        batch.sortByPeer { id, packets in
            guard let peer = engine.peer(id), let path = peer.path else {
                return packets { packet in
                    undeliverable.note(packet, on: interface.id, now)
                    return .drop(drops.count(packet, .noEndpoint))
                } _: { _ in
                }
            }
            guard let session = peer.session else {
                return packets { packet in
                    if let drop = loop(packet, unsafe IPPacket(packet.contents), peer, path, engine) {
                        return .drop(drop)
                    }
                    // Who waits has asked already.
                    if staging[id] == nil { engine.wantSession(peer, now) }
                    return .take
                } _: {
                    stage($0)
                }
            }
            work.use(session)
            var run = SealingRun(id, path)
            packets { packet in
                let ip = unsafe IPPacket(packet.contents)
                if let drop = loop(packet, ip, peer, path, engine) { return .drop(drop) }
                // What waits goes first, so that the order within a flow holds.
                guard staging.isEmpty || staging[id] == nil else { return .take }
                run.look(at: ip)
                return add(packet, to: &work, peer, session, &run, interface, now)
            } _: {
                stage($0)
            }
            settle(run, peer, engine, now)
        }
        work.take(&batch)
        work.close()
    }

    /// Counts a packet that is a message of ours to the peer itself.
    private func loop(
        _ packet: borrowing Packet, _ ip: IPPacket?, _ peer: Peer, _ path: Path, _ engine: Engine
    ) -> CountedDrop? {
        // Only few packets go to an endpoint's address: the rest is worth no more than this.
        guard let ip, ip.destination == path.remote.address, engine.isOwnMessage(ip, to: peer, path.remote.port) else {
            return nil
        }
        engine.reportLoop(of: peer)
        return drops.count(packet, .endpointInTunnel)
    }

    /// Gives a packet its counters and its room. To be staged (`.take`) is one where the session gives no counters any more, or
    /// there is no more room.
    func add(
        _ packet: borrowing Packet, to work: inout SealingWork, _ peer: Peer, _ session: Keypair,
        _ run: inout SealingRun, _ interface: borrowing Interface, _ now: Instant
    ) -> Sorting {
        let messages = packet.wirePackets
        let longest = packet.largestSegment
        let padded = run.paddedLength(longest, interface.limits)
        // What no batch could hold would wait for room for ever.
        guard RunBuilder.canHold(messages, size: padded + DataMessage.overhead) else {
            return .drop(drops.count(packet, .tooLarge))
        }
        guard work.hasRoom(for: messages, size: padded + DataMessage.overhead) else {
            // Staged, and released with the next turn.
            staging.waiting(for: peer.id).waitsForRoom = true
            pending[interface.id.index].append(.release(peer.id, orConfirm: false))
            return .take
        }
        guard let first = session.takeCounters(messages, now) else {
            interface.engine.wantSession(peer, now)
            return .take
        }
        let last = messages == 1 ? longest : packet.lastSegment
        let lastPadded = last == longest ? padded : interface.limits.paddedLength(last)
        work.add(messages, padded: padded, lastPadded: lastPadded, from: first, session.sealer, run)
        run.count(messages, padded: padded, lastPadded: lastPadded)
        return .pass
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
    let peer: PeerID
    let path: Path
    /// The outer header's for the packet in hand.
    private(set) var trafficClass: UInt8
    /// Of what is to be sealed.
    private(set) var messages = 0
    private(set) var bytes = 0
    /// Most packets of a run have one length.
    private var known = (length: 0, padded: 0)

    init(_ peer: PeerID, _ path: Path, trafficClass: UInt8 = 0) {
        (self.peer, self.path, self.trafficClass) = (peer, path, trafficClass)
    }

    /// The packet in hand: one header gives all segments' bits.
    mutating func look(at ip: IPPacket?) { trafficClass = ip.map { ECN.outer(of: $0.trafficClass) } ?? 0 }

    mutating func paddedLength(_ length: Int, _ limits: borrowing PaddingLimits) -> Int {
        if length != known.length { known = (length, limits.paddedLength(length)) }
        return known.padded
    }

    mutating func count(_ messages: Int, padded: Int, lastPadded: Int) {
        self.messages += messages
        bytes += messages * DataMessage.overhead + (messages - 1) * padded + lastPadded
    }
}
