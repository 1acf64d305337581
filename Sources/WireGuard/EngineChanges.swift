import Crypto
import Wire

/// Changes to peers that are there, and to the interface. Those to one peer touch none of its sessions, and send nothing
/// but a first keepalive.
extension Engine {
    /// Sends there from now on, from whatever address the routing table chooses (P-6.10).
    package func setEndpoint(_ id: PeerID, _ endpoint: Endpoint) {
        guard let peer = peer(id) else { return }
        peer.path = Path(remote: endpoint)
        peer.isLoopReported = false
    }

    /// Where a peer is that was not known to be anywhere, as when its name has been looked up. One that has been heard
    /// from meanwhile stays where it is.
    package func locate(_ id: PeerID, at endpoint: Endpoint, _ now: Instant) {
        guard let peer = peer(id), peer.path == nil else { return }
        peer.path = Path(remote: endpoint)
        greet(peer, now)
    }

    /// Where a peer that does not answer is to be looked for next. One that has answered meanwhile stays where it is.
    package func relocate(_ id: PeerID, to endpoint: Endpoint) {
        guard let peer = peer(id), peer.handshake != nil else { return }
        setEndpoint(id, endpoint)
    }

    /// Whether initiations that go unanswered are told of, because somebody could look for the peer elsewhere.
    package func setReportsSilence(_ id: PeerID, _ reportsSilence: Bool) { peer(id)?.reportsSilence = reportsSilence }

    /// The next handshake uses it; the session goes on (P-2.22).
    package func setPresharedKey(_ id: PeerID, _ key: consuming PresharedKey) {
        peer(id)?.remote.setPresharedKey(key)
    }

    /// A peer whose interval was 0 is greeted at once (P-5.12).
    package func setPersistentKeepalive(_ id: PeerID, _ interval: Interval, _ now: Instant) {
        guard let peer = peer(id) else { return }
        let wasOff = peer.timers.persistentInterval.nanoseconds == 0
        guard isUp else { return peer.timers.persistentInterval = interval }
        peer.timers.setPersistentInterval(interval, now)
        if wasOff, interval.nanoseconds > 0 { sendKeepalive(peer, now) }
        schedule(peer)
    }

    /// Forgets the address of ours that each peer knows: the port or the mark has changed (P-6.3, P-6.6).
    package func sourcesGone() {
        for peer in peers { peer?.path?.local = nil }
    }

    /// The directory has had another identity, or none, since `moment` (P-8.1): sessions that are older are not sent
    /// with any more, and handshakes begin anew. What is still under way to us is still understood.
    package func identityChanged(at moment: Instant) {
        identity = directory.identity
        for case let peer? in peers {
            abandonHandshake(peer)
            peer.lastHandshakeSent = nil
            for session in [peer.keypairs.current, peer.keypairs.next] {
                if let session, session.created < moment { session.skip(to: Protocol.rejectAfterMessages) }
            }
        }
    }

    /// The host was suspended, or is a copy of one that goes on elsewhere (P-9.3, P-9.4): no key and no counter of before may
    /// be used again. What is staged stays, for the next session.
    package func forgetSessions(_ now: Instant) {
        for case let peer? in peers {
            wipe(peer)
            peer.timers.sessionForgotten()
            peer.lastHandshakeSent = nil
            schedule(peer)
        }
    }

    /// The interface goes down (P-9.1): sessions and handshakes are forgotten, timers stop, what is staged is dropped.
    package func goDown() {
        guard isUp else { return }
        isUp = false
        for case let peer? in peers {
            wipe(peer)
            peer.timers.disarm()
            peer.lastHandshakeSent = nil
            peer.path?.local = nil
            wheel.set(peer.slot, .never)
            outbox.purge(peer.id)
        }
    }

    /// Packets wait for the peer: begins a handshake unless there is a session.
    package func seekSession(_ id: PeerID, _ now: Instant) {
        guard let peer = peer(id) else { return }
        if peer.keypairs.current?.maySend(now) != true { wantHandshake(peer, now) }
        schedule(peer)
    }

    /// The interface comes up: peers with a persistent keepalive are greeted (P-5.12).
    package func comeUp(_ now: Instant) {
        guard !isUp else { return }
        isUp = true
        for case let peer? in peers { greet(peer, now) }
    }
}
