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
    private let identities: [Identity]
    private let listenPorts: [UInt16]
    private let answers: [StatusQuestion.Answer]
    private let snapshots: [PeerID: PeerSnapshot]

    init(
        _ plan: RouterPlan, _ identities: [Identity], _ listenPorts: [UInt16], _ answers: [StatusQuestion.Answer]
    ) {
        self.plan = plan
        self.identities = identities
        self.listenPorts = listenPorts
        self.answers = answers
        var snapshots: [PeerID: PeerSnapshot] = [:]
        for answer in answers { for peer in answer.peers.joined() { snapshots[peer.id] = peer } }
        self.snapshots = snapshots
    }

    func status(file: String, aead: String) -> RouterStatus {
        RouterStatus(
            name: plan.configuration.name, file: file, pid: getpid(), workers: plan.workers, aead: aead,
            interfaces: plan.interfaces.map(interface), stages: stages)
    }

    private func interface(_ interface: RouterPlan.Interface) -> RouterStatus.Interface {
        let configuration = interface.configuration
        return RouterStatus.Interface(
            name: configuration.name.value, publicKey: identities[interface.id.index].publicKey.base64,
            listenPort: listenPorts[interface.id.index], fwmark: configuration.fwmark, mtu: configuration.mtu,
            addresses: configuration.addresses.map(\.value.description), peers: interface.peers.compactMap(peer))
    }

    private func peer(_ peer: RouterPlan.Peer) -> RouterStatus.Peer? {
        guard let snapshot = snapshots[peer.id] else { return nil }
        return RouterStatus.Peer(
            name: peer.configuration.name.value, publicKey: snapshot.publicKey.base64,
            hasPresharedKey: snapshot.hasPresharedKey, endpoint: snapshot.path?.remote.description,
            allowedIPs: peer.configuration.allowedIPs.map(\.value.description),
            latestHandshake: snapshot.lastHandshake?.seconds, received: snapshot.received, sent: snapshot.sent,
            persistentKeepalive: UInt16(clamping: snapshot.persistentKeepalive.nanoseconds / 1_000_000_000),
            hasSession: snapshot.hasSession, worker: peer.worker)
    }

    /// The instances of a stage on all workers, added up.
    private var stages: [RouterStatus.Stage] {
        guard let first = answers.first else { return [] }
        return first.stages.indices.map { index in
            var report = StageReport()
            for answer in answers { report.add(answer.stages[index].report) }
            return RouterStatus.Stage(
                name: first.stages[index].stage, counters: report.counters.map(count), drops: report.drops.map(count))
        }
    }

    private func count(_ count: StageReport.Count) -> RouterStatus.Count {
        RouterStatus.Count(name: count.name, value: count.value)
    }
}
