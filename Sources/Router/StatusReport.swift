import Configuration
import Control
import Crypto
import Glibc
import Pipeline
import Wire
import WireGuard

/// Puts the workers' answers together into what users get to see.
struct StatusReport {
    private let plan: RouterPlan
    private let registry: PeerRegistry
    private let answers: [StatusQuestion.Answer]
    /// By `PeerID.index`; nil where no worker has the peer (any more).
    private let snapshots: [PeerSnapshot?]

    init(_ plan: RouterPlan, _ registry: PeerRegistry, _ answers: [StatusQuestion.Answer]) {
        self.plan = plan
        self.registry = registry
        self.answers = answers
        let all = answers.flatMap { $0.peers.joined() }
        var snapshots = [PeerSnapshot?](repeating: nil, count: (all.map(\.id.index).max() ?? -1) + 1)
        for peer in all { snapshots[peer.id.index] = peer }
        self.snapshots = snapshots
    }

    func status(file: String, aead: String) -> RouterStatus {
        RouterStatus(
            name: plan.configuration.name, file: file, pid: getpid(), workers: plan.workers, aead: aead,
            interfaces: registry.interfaces.map(interface), stages: stages)
    }

    private func interface(_ id: InterfaceID) -> RouterStatus.Interface {
        let view = registry.view(id)
        return RouterStatus.Interface(
            name: view.name, publicKey: view.privateKey?.value.publicKey.base64 ?? "", listenPort: view.listenPort,
            fwmark: view.fwmark, mtu: view.mtu, addresses: view.addresses,
            peers: view.peers.compactMap { peer($0.peer, $0.prefixes) })
    }

    private func peer(_ peer: RegisteredPeer, _ prefixes: [Prefix]) -> RouterStatus.Peer? {
        guard let snapshot = snapshot(peer.id) else { return nil }
        return RouterStatus.Peer(
            name: peer.name, publicKey: snapshot.publicKey.base64,
            hasPresharedKey: snapshot.hasPresharedKey, endpoint: snapshot.path?.remote.description,
            allowedIPs: prefixes.map(\.description),
            latestHandshake: snapshot.lastHandshake?.seconds, received: snapshot.received, sent: snapshot.sent,
            persistentKeepalive: peer.persistentKeepalive, hasSession: snapshot.hasSession, worker: peer.worker)
    }

    private func snapshot(_ id: PeerID) -> PeerSnapshot? {
        snapshots.indices.contains(id.index) ? snapshots[id.index] : nil
    }

    /// An interface as the UAPI tells of it. A peer that no worker has (any more) is left out.
    func device(_ id: InterfaceID) -> DeviceState {
        let view = registry.view(id)
        var state = DeviceState()
        state.privateKey = view.privateKey
        state.listenPort = view.listenPort
        state.fwmark = view.fwmark
        state.peers = view.peers.compactMap { peer, prefixes in
            guard let snapshot = snapshot(peer.id) else { return nil }
            var entry = DeviceState.Peer(peer.publicKey)
            entry.presharedKey = peer.presharedKey
            entry.endpoint = snapshot.path?.remote
            entry.lastHandshake = snapshot.lastHandshake
            entry.received = snapshot.received
            entry.sent = snapshot.sent
            entry.persistentKeepalive = peer.persistentKeepalive
            entry.allowedIPs = prefixes
            return entry
        }
        return state
    }

    /// The instances of a stage on all workers, added up. Workers that were asked during a reload may have stages that others
    /// do not have yet, or any more.
    private var stages: [RouterStatus.Stage] {
        var names: [String] = []
        var reports: [String: StageReport] = [:]
        for (name, report) in answers.flatMap(\.stages) {
            if reports[name] == nil { names.append(name) }
            reports[name, default: StageReport()].add(report)
        }
        return names.map { name in
            let report = reports[name] ?? StageReport()
            return RouterStatus.Stage(
                name: name, counters: report.counters.map(count), drops: report.drops.map(count))
        }
    }

    private func count(_ count: StageReport.Count) -> RouterStatus.Count {
        RouterStatus.Count(name: count.name, value: count.value)
    }
}
