import Crypto
import Wire
import WireGuard

// What users change while packets flow. Each is called between two turns.
extension WireGuardStage {
    /// Sends to `endpoint` from now on (P-6.10); a peer that was nowhere before and has a persistent keepalive is greeted.
    package func setEndpoint(_ peer: PeerID, _ endpoint: Endpoint, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        if engine.path(to: peer) == nil {
            engine.locate(peer, at: endpoint, now)
        } else {
            engine.setEndpoint(peer, endpoint)
        }
        collect(engine, id)
    }

    /// Where to look next for a peer that does not answer.
    package func relocate(_ peer: PeerID, to endpoint: Endpoint, on id: InterfaceID) {
        interfaces[id.index].engine.relocate(peer, to: endpoint)
    }

    /// Whether somebody looks for the peer where it does not answer.
    package func setReportsSilence(_ peer: PeerID, _ reportsSilence: Bool, on id: InterfaceID) {
        interfaces[id.index].engine.setReportsSilence(peer, reportsSilence)
    }

    /// The next handshake uses it (P-2.22).
    package func setPresharedKey(_ peer: PeerID, _ key: borrowing PresharedKey, on id: InterfaceID) {
        interfaces[id.index].engine.setPresharedKey(peer, key.copy())
    }

    package func setPersistentKeepalive(_ peer: PeerID, _ interval: Interval, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        engine.setPersistentKeepalive(peer, interval, now)
        collect(engine, id)
    }

    /// The interface has had another private key, or none, since `moment`.
    package func identityChanged(at moment: Instant, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        engine.identityChanged(at: moment)
        seekSessionsForStaged(engine, id, now)
    }

    /// For what waits while there is neither a session nor a handshake any more: packets that come are only put behind it.
    private func seekSessionsForStaged(_ engine: Engine, _ id: InterfaceID, _ now: Instant) {
        for peer in staging.peers { engine.seekSession(peer, now) }
        collect(engine, id)
    }

    /// No key of before may be used any more: the machine was suspended or copied (P-9.3, P-9.4).
    package func forgetSessions(_ now: Instant) {
        for interface in interfaces {
            interface.engine.forgetSessions(now)
            seekSessionsForStaged(interface.engine, interface.id, now)
        }
    }

    /// The address of ours that peers know is not to be relied on any more: another port, another mark (P-6.3, P-6.6).
    package func sourcesGone(on id: InterfaceID) { interfaces[id.index].engine.sourcesGone() }

    /// The link or a route has another MTU.
    package func set(_ limits: PaddingLimits, on id: InterfaceID) { interfaces[id.index].limits = limits }

    /// The interface comes up or goes down (P-9.1).
    package func setUp(_ isUp: Bool, on id: InterfaceID, _ now: Instant) {
        let engine = interfaces[id.index].engine
        guard !isUp else {
            engine.comeUp(now)
            // The link was up a moment before we heard of it.
            return seekSessionsForStaged(engine, id, now)
        }
        engine.goDown()
        pending[id.index].removeAll()
        for action in engine.outbox.take() {
            switch action {
            case .purge(let peer): dropStaged(of: peer, .interfaceDown)
            case .note(let peer, let event): note(peer, event)
            case .send, .compute, .release: break
            }
        }
    }
}
