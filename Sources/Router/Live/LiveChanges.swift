import Configuration
import Control
import Crypto
import Glibc
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import UDP
import Wire
import WireGuard

/// Changes a router while packets flow: each change as a whole or not at all (P-8.16), one after the other.
///
/// What can fail comes first: the port is bound, the number of peers looked at. Then the registry takes the change, and
/// the workers are brought up to it in rounds: peers come before the prefixes that lead to them, and go after those.
final class LiveChanges: Sendable {
    /// An interface's ends at a new port.
    struct Ends {
        let port: UInt16
        /// One for each worker.
        let ports: [any UDPPort]
        /// Where cookies leave.
        let replies: any ReplySender
    }

    /// Opens what an interface is to have instead of its ports.
    typealias Opening = @Sendable (InterfaceID, _ port: UInt16, _ mark: UInt32) throws(Errno) -> Ends

    /// Errands of one worker in one turn: a peer's takes some microseconds.
    private static let peersATurn = 256
    /// Prefixes of one errand, and errands of one turn.
    private static let prefixesAnErrand = 512
    private static let prefixErrandsATurn = 4

    let registry: PeerRegistry
    let mailboxes: [Mailbox]
    /// By interface.
    let directories: [PeerDirectory]
    /// Told where cookies leave.
    let handshakes: HandshakeDesk
    let open: Opening
    /// Told of peers that are gone, or that a client has said the place of: nobody is to look for them by name any more.
    let settled: @Sendable ([PeerID]) -> Void
    let logger: Logger
    /// Told before and after the workers are; nil where there is no kernel that follows.
    let rules: HostRules?
    /// One change at a time.
    let turn = Guarded(())

    init(
        _ registry: PeerRegistry, _ mailboxes: [Mailbox], _ directories: [PeerDirectory], _ handshakes: HandshakeDesk,
        _ logger: Logger, rules: HostRules? = nil, settled: @escaping @Sendable ([PeerID]) -> Void = { _ in },
        open: @escaping Opening
    ) {
        self.settled = settled
        self.registry = registry
        self.mailboxes = mailboxes
        self.directories = directories
        self.handshakes = handshakes
        self.logger = logger
        self.rules = rules
        self.open = open
    }

    /// Carries out a client's change; the error when it cannot be, and then nothing has changed: but for EIO, where the router
    /// is about to end, or the kernel has not taken a change of rules that it had no word against before. ENODEV when no
    /// interface has the name: that is looked at when it is this change's turn, as one before it may take the interface away.
    func apply(_ change: DeviceChange, on name: String) -> Errno? {
        turn.withLock { _ -> Errno? in
            guard let id = registry.interface(named: name) else { return Errno(ENODEV) }
            do throws(Errno) {
                if change.concernsRules, rules?.canFollow() == false { return Errno(EPERM) }
                let binding = try bind(change, on: id)
                let edit = try registry.commit(change, on: id)
                settled(edit.settledPeers)
                let rules = edit.concernsRules || binding != nil ? rules : nil
                rules?.narrow(binding.map { (name, $0.port) })
                if let binding { install(binding, on: id) }
                guard carryOut(edit) else { return Errno(EIO) }
                let areInStep = rules?.settle() ?? true
                note(edit, binding, on: name)
                Confinement.checkSecrets(logger)
                return areInStep ? nil : Errno(EIO)
            } catch {
                return error
            }
        }
    }

    private func note(_ edit: Edit, _ binding: Binding?, on name: String) {
        let parts = edit.summary + (binding.map { ["UDP port \($0.port)", "mark \($0.mark)"] } ?? [])
        guard !parts.isEmpty else { return }
        logger.info("\(name): changed by wg: \(parts.joined(separator: ", "))")
    }

    // MARK: Identity, peers, prefixes

    func carryOut(_ edit: Edit) -> Bool {
        let id = edit.interface
        if edit.identityChanges { changeIdentity(on: id) }
        guard
            WorkerRound.run(arrivals(edit), slice: Self.peersATurn, mailboxes),
            WorkerRound.run(routes(edit), slice: Self.prefixErrandsATurn, mailboxes),
            WorkerRound.run(departures(edit), slice: Self.peersATurn, mailboxes)
        else { return false }
        return free(edit.removals.map(\.id))
    }

    private func changeIdentity(on id: InterfaceID) {
        let key = registry.view(id, peers: false).privateKey
        let moment = Clocks.now()
        directories[id.index].identity = key.map { Identity($0.value.copy()) }
        _ = WorkerRound.run(mailboxes) { worker, now in worker.wireGuard.identityChanged(at: moment, on: id, now) }
    }

    /// New peers and changes to those that are there, at their owners; everybody learns who owns a new one.
    private func arrivals(_ edit: Edit) -> [[Mailbox.Errand]] {
        let id = edit.interface
        var errands: [[Mailbox.Errand]] = mailboxes.map { _ in [] }
        let directory = directories[id.index]
        for addition in edit.additions {
            let peer = addition.peer
            for worker in mailboxes.indices where worker != peer.worker && !addition.isReplacement {
                errands[worker].append { other, _ in other.setOwner(of: peer.id, peer.worker) }
            }
            errands[peer.worker].append { owner, now in
                owner.setOwner(of: peer.id, peer.worker)
                let configuration = peer.protocolConfiguration(endpoint: addition.endpoint)
                var memories: [Worker.Memory] = []
                if addition.isReplacement {
                    // Another peer, but the same key: what was sent to the earlier one may not be played to this one, and
                    // what that one has used is used.
                    let stamp = directory.greatestStamp(of: peer.publicKey)
                    memories = owner.memories(of: peer.id)
                    owner.forgetSession(of: peer.id)
                    if let stamp { directory.remember([peer.publicKey: stamp]) }
                }
                owner.add(configuration, on: id, now, group: peer.group) { peer.configuration?.stageOptions[$0.name] }
                owner.remember(of: peer.id) { name in memories.first { $0.stage == name }?.text }
            }
        }
        for adjustment in edit.adjustments {
            errands[adjustment.worker].append { owner, now in Self.adjust(adjustment, on: id, owner, now) }
        }
        return errands
    }

    private static func adjust(_ adjustment: Edit.Adjustment, on id: InterfaceID, _ owner: Worker, _ now: Instant) {
        let stage = owner.wireGuard
        if let key = adjustment.presharedKey { stage.setPresharedKey(adjustment.id, key.value, on: id) }
        if let endpoint = adjustment.endpoint { stage.setEndpoint(adjustment.id, endpoint, on: id, now) }
        if let isSought = adjustment.isSoughtByName { stage.setReportsSilence(adjustment.id, isSought, on: id) }
        if let group = adjustment.group { for stage in owner.stages { stage.set(adjustment.id, group: group) } }
        for stage in owner.stages {
            guard let options = adjustment.stageOptions[type(of: stage).declaration.name] else { continue }
            stage.set(adjustment.id, options: options)
        }
        // After the endpoint: a first keepalive goes to where the peer is now.
        if let seconds = adjustment.persistentKeepalive {
            stage.setPersistentKeepalive(adjustment.id, .seconds(UInt64(seconds)), on: id, now)
        }
    }

    /// The prefixes' new owners, at every worker: any of them may read a packet for any peer.
    private func routes(_ edit: Edit) -> [[Mailbox.Errand]] {
        let (id, prefixes) = (edit.interface, edit.prefixes)
        let errands = stride(from: 0, to: prefixes.count, by: Self.prefixesAnErrand).map { start -> Mailbox.Errand in
            let end = min(start + Self.prefixesAnErrand, prefixes.count)
            return { worker, _ in worker.set(prefixes[start..<end], on: id) }
        }
        return mailboxes.map { _ in errands }
    }

    /// Peers that are gone, at their owners (P-9.2).
    private func departures(_ edit: Edit) -> [[Mailbox.Errand]] {
        var errands: [[Mailbox.Errand]] = mailboxes.map { _ in [] }
        for peer in edit.removals { errands[peer.worker].append { owner, _ in owner.remove(peer.id) } }
        return errands
    }

    /// Numbers are free once nobody means the old peer by them: what a worker had sent on before it heard that the peer
    /// is gone is in a mailbox now, in front of this round's errands.
    private func free(_ numbers: [PeerID]) -> Bool {
        guard !numbers.isEmpty else { return true }
        guard WorkerRound.run(mailboxes, { _, _ in }) else { return false }
        registry.giveBack(numbers)
        return true
    }
}

extension Edit {
    /// Whether other peers have other prefixes than before.
    fileprivate var concernsRules: Bool { !prefixes.isEmpty || !additions.isEmpty || !removals.isEmpty }
}

extension DeviceChange {
    /// Whether rules in nftables may have to follow it: who has which prefix, and which port is open.
    fileprivate var concernsRules: Bool {
        replacesPeers || listenPort != nil
            || peers.contains { $0.isRemoval || $0.replacesAllowedIPs || !$0.allowedIPs.isEmpty }
    }
}
