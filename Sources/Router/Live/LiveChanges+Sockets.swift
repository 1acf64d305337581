import Configuration
import Control
import Glibc
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import UDP
import Wire
import WireGuard

// An interface's sockets, and its link, which decides whether there are any.
extension LiveChanges {
    // MARK: Port and mark

    /// Where an interface's sockets are about to be.
    struct Binding {
        let port: UInt16
        let mark: UInt32
        /// nil: those that it has stay.
        let ends: Ends?
        /// Whether it is up and has sockets.
        let isBound: Bool
    }

    /// Makes sure of port and mark, without a change to what there is; nil when neither is to change.
    func bind(_ change: DeviceChange, on id: InterfaceID) throws(Errno) -> Binding? {
        let view = registry.view(id, peers: false)
        let mark = try mark(change, view)
        // Port 0 asks for a new one each time, as in the kernel.
        let port = change.listenPort.flatMap { $0 == 0 || $0 != view.listenPort ? $0 : nil }
        let binds = port != nil || change.listenPort != nil && view.isUp && !view.isBound
        return try bind(view, binds: binds, port: port, mark: mark, on: id)
    }

    /// The same for what a file says: port 0 is content with the port that there is, and the mark may be the one that the
    /// default route goes by, which moves with it.
    func bind(_ file: InterfaceFile, on id: InterfaceID) throws(Errno) -> Binding? {
        let view = registry.view(id, peers: false)
        let wanted = file.configuration.listenPort.value
        let port = wanted == 0 || wanted == view.listenPort ? nil : wanted
        return try bind(
            view, binds: port != nil || view.isUp && !view.isBound, port: port, mark: file.configuration.fwmark, on: id)
    }

    private func bind(
        _ view: PeerRegistry.View, binds: Bool, port: UInt16?, mark: UInt32, on id: InterfaceID
    ) throws(Errno) -> Binding? {
        guard binds || mark != view.fwmark else { return nil }
        if mark != view.fwmark { try Self.checkMark(mark) }
        guard binds else { return Binding(port: view.listenPort, mark: mark, ends: nil, isBound: view.isBound) }
        let wanted = port ?? view.listenPort
        guard view.isUp else {
            // Nobody is told of a port that is taken once the interface comes up: so it is tried now.
            if wanted != 0 { _ = try open(id, wanted, mark) }
            return Binding(port: wanted, mark: mark, ends: nil, isBound: false)
        }
        let opened = try open(id, wanted, mark)
        return Binding(port: opened.port, mark: mark, ends: opened, isBound: true)
    }

    /// The mark that the host's default route goes by stays: without it the tunnel's own datagrams would go into the tunnel.
    /// A client that knows nothing of it asks for none (`wg setconf`).
    private func mark(_ change: DeviceChange, _ view: PeerRegistry.View) throws(Errno) -> UInt32 {
        guard let wanted = change.fwmark, wanted != view.fwmark else { return view.fwmark }
        guard view.isMarkFixed else { return wanted }
        guard wanted == 0 else {
            logger.warning(
                "\(view.name): the default route goes by mark \(view.fwmark): to change it, set fwmark in the file")
            throw Errno(EBUSY, call: "fwmark")
        }
        return view.fwmark
    }

    private static func checkMark(_ mark: UInt32) throws(Errno) {
        let probe = try FileDescriptor(socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0), "socket")
        try SocketOption.set(probe.rawValue, SOL_SOCKET, SO_MARK, CInt(bitPattern: mark), "SO_MARK")
    }

    func install(_ binding: Binding, on id: InterfaceID) {
        registry.update(id) {
            $0.listenPort = binding.port
            $0.fwmark = binding.mark
            $0.isBound = binding.isBound
        }
        let mark = binding.mark
        if let ends = binding.ends {
            replacePorts(ends, on: id)
        } else if binding.isBound {
            _ = WorkerRound.run(mailboxes) { worker, _ in
                // Tried before; a socket that refuses it all the same sends without, as before.
                try? (worker.udp.ports[id.index] as? SocketPort)?.setMark(mark)
                worker.wireGuard.sourcesGone(on: id)
            }
        }
    }

    private func replacePorts(_ ends: Ends, on id: InterfaceID) {
        handshakes.setOutlet(ends.replies, on: id)
        let handovers = ends.ports.map { Handover($0) }
        let errands = handovers.map { handover -> [Mailbox.Errand] in
            [
                { worker, _ in
                    worker.udp.replace(handover.value, on: id)
                    worker.wireGuard.sourcesGone(on: id)
                }
            ]
        }
        _ = WorkerRound.run(errands, slice: 1, mailboxes)
        waitUntilClosed()
    }

    /// A worker closes the sockets that have given way at the end of the turn in which they have: when it has had another one,
    /// the port is free.
    func waitUntilClosed() { _ = WorkerRound.run(mailboxes) { _, _ in } }

    // MARK: The link

    /// The interface went up or down (P-9.1), as somebody else has wanted. `isCurrent` is asked when it is this change's turn:
    /// one before it may have taken the interface away.
    func linkChanged(_ id: InterfaceID, isUp: Bool, ifStill isCurrent: () -> Bool) {
        turn.withLock { _ in
            guard isCurrent() else { return }
            let view = registry.view(id, peers: false)
            guard isUp != view.isUp else { return }
            isUp ? comeUp(id, view) : goDown(id)
        }
    }

    private func comeUp(_ id: InterfaceID, _ view: PeerRegistry.View) {
        var port = view.listenPort
        var isBound = false
        do {
            let opened = try open(id, port, view.fwmark)
            port = opened.port
            isBound = true
            if port != view.listenPort { rules?.narrow((view.name, port)) }
            replacePorts(opened, on: id)
        } catch {
            logger.error("\(view.name): is up without a socket, UDP port \(port) cannot be had: \(error)")
        }
        registry.update(id) {
            $0.isUp = true
            $0.isBound = isBound
            $0.listenPort = port
        }
        if port != view.listenPort { rules?.settle() }
        _ = WorkerRound.run(mailboxes) { worker, now in worker.wireGuard.setUp(true, on: id, now) }
        logger.debug("\(view.name): up, UDP port \(port)")
    }

    private func goDown(_ id: InterfaceID) {
        registry.update(id) {
            $0.isUp = false
            $0.isBound = false
        }
        handshakes.setOutlet(nil, on: id)
        _ = WorkerRound.run(mailboxes) { worker, now in
            worker.wireGuard.setUp(false, on: id, now)
            worker.udp.replace(ClosedPort(), on: id)
        }
        waitUntilClosed()
        logger.debug("\(registry.view(id, peers: false).name): down")
    }

    /// The link's own MTU, and those of the routes that lead out of it; `isCurrent` as above.
    func mtuChanged(_ id: InterfaceID, _ mtu: Int, routes: Set<Int>, ifStill isCurrent: () -> Bool) {
        turn.withLock { _ in
            guard isCurrent() else { return }
            let view = registry.view(id, peers: false)
            guard mtu != view.mtu || routes != view.routeMTUs else { return }
            registry.update(id) { ($0.mtu, $0.routeMTUs) = (mtu, routes) }
            let limits = PaddingLimits(link: mtu, routes: routes)
            _ = WorkerRound.run(mailboxes) { worker, _ in worker.wireGuard.set(limits, on: id) }
        }
    }
}
