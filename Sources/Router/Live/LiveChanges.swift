import Configuration
import Control
import Crypto
import Glibc
import Linux
import Logging
import PacketPath
import Pipeline
import Synchronization
import UDP
import Wire
import WireGuard

/// Changes a router while packets flow: each change as a whole or not at all (P-8.16), one after the other.
///
/// What can fail comes first: the port is bound, the number of peers looked at. Then the registry takes the change, and the
/// workers are brought up to it in rounds: peers come before the prefixes that lead to them, and go after those.
final class LiveChanges: Sendable {
    /// How new sockets of an interface are to be.
    typealias Sockets = @Sendable (InterfaceID, _ port: UInt16, _ mark: UInt32) throws(Errno) -> UDPSockets

    /// Errands of one worker in one turn: a peer's takes some microseconds.
    private static let peersATurn = 256
    /// Prefixes of one errand, and errands of one turn.
    private static let prefixesAnErrand = 512
    private static let prefixErrandsATurn = 4

    private let registry: PeerRegistry
    private let mailboxes: [Mailbox]
    /// By interface.
    private let directories: [PeerDirectory]
    private let sockets: Sockets
    private let logger: Logger
    /// One change at a time.
    private let turn = Mutex(())

    init(
        _ registry: PeerRegistry, _ mailboxes: [Mailbox], _ directories: [PeerDirectory], _ logger: Logger,
        sockets: @escaping Sockets
    ) {
        self.registry = registry
        self.mailboxes = mailboxes
        self.directories = directories
        self.logger = logger
        self.sockets = sockets
    }

    /// Carries out a client's change; the error when it cannot be, and then nothing has changed.
    func apply(_ change: DeviceChange, on id: InterfaceID) -> Errno? {
        turn.withLock { _ -> Errno? in
            do throws(Errno) {
                let binding = try bind(change, on: id)
                let edit = try registry.commit(change, on: id)
                if let binding { install(binding, on: id) }
                return carryOut(edit) ? nil : Errno(EIO)
            } catch {
                return error
            }
        }
    }

    // MARK: Port and mark

    /// Where an interface's sockets are about to be.
    private struct Binding {
        let port: UInt16
        let mark: UInt32
        /// nil: those that it has stay.
        let sockets: UDPSockets?
        /// Whether it is up and has sockets.
        let isBound: Bool
    }

    /// Makes sure of port and mark, without a change to what there is; nil when neither is to change.
    private func bind(_ change: DeviceChange, on id: InterfaceID) throws(Errno) -> Binding? {
        let view = registry.view(id, peers: false)
        let mark = change.fwmark ?? view.fwmark
        // Port 0 asks for a new one each time, as in the kernel.
        let port = change.listenPort.flatMap { $0 == 0 || $0 != view.listenPort ? $0 : nil }
        let binds = port != nil || change.listenPort != nil && view.isUp && !view.isBound
        guard binds || mark != view.fwmark else { return nil }
        if mark != view.fwmark { try Self.checkMark(mark) }
        guard binds else { return Binding(port: view.listenPort, mark: mark, sockets: nil, isBound: view.isBound) }
        let wanted = port ?? view.listenPort
        guard view.isUp else {
            // Nobody is told of a port that is taken once the interface comes up: so it is tried now.
            if wanted != 0 { _ = try sockets(id, wanted, mark) }
            return Binding(port: wanted, mark: mark, sockets: nil, isBound: false)
        }
        let opened = try sockets(id, wanted, mark)
        return Binding(port: opened.port, mark: mark, sockets: opened, isBound: true)
    }

    private static func checkMark(_ mark: UInt32) throws(Errno) {
        let probe = try FileDescriptor(socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
        try SocketOption.set(probe.rawValue, SOL_SOCKET, SO_MARK, CInt(bitPattern: mark), "SO_MARK")
    }

    private func install(_ binding: Binding, on id: InterfaceID) {
        registry.update(id) {
            $0.listenPort = binding.port
            $0.fwmark = binding.mark
            $0.isBound = binding.isBound
        }
        let mark = binding.mark
        if let sockets = binding.sockets {
            replacePorts(sockets.ports, on: id)
        } else if binding.isBound {
            _ = WorkerRound.run(mailboxes) { worker, _ in
                // Tried before; a socket that refuses it all the same sends without, as before.
                try? (worker.udp.ports[id.index] as? SocketPort)?.setMark(mark)
                worker.wireGuard.sourcesGone(on: id)
            }
        }
    }

    private func replacePorts(_ ports: [any UDPPort], on id: InterfaceID) {
        let handovers = ports.map { Handover($0) }
        let errands = handovers.map { handover -> [Mailbox.Errand] in
            [
                { worker, _ in
                    worker.udp.replace(handover.value, on: id)
                    worker.wireGuard.sourcesGone(on: id)
                }
            ]
        }
        _ = WorkerRound.run(errands, slice: 1, mailboxes)
    }

    // MARK: Identity, peers, prefixes

    private func carryOut(_ edit: Edit) -> Bool {
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
        _ = WorkerRound.run(mailboxes) { worker, _ in worker.wireGuard.identityChanged(at: moment, on: id) }
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
                if addition.isReplacement {
                    // Another peer, but the same key: what was sent to the earlier one may not be played to this one.
                    let stamp = directory.greatestStamp(of: peer.publicKey)
                    owner.forgetSession(of: peer.id)
                    if let stamp { directory.remember([peer.publicKey: stamp]) }
                }
                owner.add(configuration, on: id, now) { peer.configuration?.stageOptions[$0.name] }
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

    /// Numbers are free once nobody means the old peer by them: what a worker had sent on before it heard that the peer is
    /// gone is in a mailbox now, in front of this round's errands.
    private func free(_ numbers: [PeerID]) -> Bool {
        guard !numbers.isEmpty else { return true }
        guard WorkerRound.run(mailboxes, { _, _ in }) else { return false }
        registry.giveBack(numbers)
        return true
    }

    // MARK: The link

    /// The interface went up or down (P-9.1), as somebody else has wanted.
    func linkChanged(_ id: InterfaceID, isUp: Bool) {
        turn.withLock { _ in
            let view = registry.view(id, peers: false)
            guard isUp != view.isUp else { return }
            isUp ? comeUp(id, view) : goDown(id)
        }
    }

    private func comeUp(_ id: InterfaceID, _ view: PeerRegistry.View) {
        var port = view.listenPort
        var isBound = false
        do {
            let opened = try sockets(id, port, view.fwmark)
            port = opened.port
            isBound = true
            replacePorts(opened.ports, on: id)
        } catch {
            logger.error("\(view.name): is up without a socket, UDP port \(port) cannot be had: \(error)")
        }
        registry.update(id) {
            $0.isUp = true
            $0.isBound = isBound
            $0.listenPort = port
        }
        _ = WorkerRound.run(mailboxes) { worker, now in worker.wireGuard.setUp(true, on: id, now) }
        logger.debug("\(view.name): up, UDP port \(port)")
    }

    private func goDown(_ id: InterfaceID) {
        registry.update(id) {
            $0.isUp = false
            $0.isBound = false
        }
        _ = WorkerRound.run(mailboxes) { worker, now in
            worker.wireGuard.setUp(false, on: id, now)
            worker.udp.replace(ClosedPort(), on: id)
        }
        logger.debug("\(registry.view(id, peers: false).name): down")
    }

    func mtuChanged(_ id: InterfaceID, _ mtu: Int) {
        turn.withLock { _ in
            guard mtu != registry.view(id, peers: false).mtu else { return }
            registry.update(id) { $0.mtu = mtu }
            _ = WorkerRound.run(mailboxes) { worker, _ in worker.wireGuard.setMTU(mtu, on: id) }
        }
    }
}
