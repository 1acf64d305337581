import Crypto
import Wire

/// Changes to a peer that is there. None of them touches its sessions; none but a first keepalive sends anything.
extension Engine {
    /// Sends there from now on, from whatever address the routing table chooses (P-6.10).
    package func setEndpoint(_ id: PeerID, _ endpoint: Endpoint) { peer(id)?.path = Path(remote: endpoint) }

    /// Where a peer is that was not known to be anywhere, as when its name has been looked up. One that has been heard
    /// from meanwhile stays where it is.
    package func locate(_ id: PeerID, at endpoint: Endpoint, _ now: Instant) {
        guard let peer = peer(id), peer.path == nil else { return }
        peer.path = Path(remote: endpoint)
        greet(peer, now)
    }

    /// The next handshake uses it; the session goes on (P-2.22).
    package func setPresharedKey(_ id: PeerID, _ key: consuming PresharedKey) {
        peer(id)?.remote.setPresharedKey(key)
    }

    /// A peer whose interval was 0 is greeted at once (P-5.12).
    package func setPersistentKeepalive(_ id: PeerID, _ interval: Interval, _ now: Instant) {
        guard let peer = peer(id) else { return }
        let wasOff = peer.timers.persistentInterval.nanoseconds == 0
        peer.timers.setPersistentInterval(interval, now)
        if wasOff, interval.nanoseconds > 0 { sendKeepalive(peer, now) }
        schedule(peer)
    }

    /// Forgets the address of ours that each peer knows: the port or the mark has changed (P-6.3, P-6.6).
    package func sourcesGone() {
        for peer in peers { peer?.path?.local = nil }
    }
}
