import Configuration
import Control
import Linux
import PacketPath
import Pipeline
import TUN
import UDP
import Wire
import WireGuard

// Interfaces that come and go with the file. False where the workers do not answer.
extension LiveChanges {
    /// An interface is there, with nobody on it so far.
    func enter(_ arrival: InterfaceArrival) -> Bool {
        let (id, configuration, sockets) = (arrival.id, arrival.file.configuration, arrival.ends.sockets)
        registry.occupy(id, configuration, port: sockets.port)
        directories[id.index].remember(arrival.remembered)
        handshakes.setOutlet(sockets.replies, on: id)
        let limits = PaddingLimits(link: configuration.mtu)
        let ends = zip(arrival.ends.queues, sockets.ports).map { Handover(($0, $1 as any UDPPort)) }
        let errands = ends.map { ends -> [Mailbox.Errand] in
            [
                { worker, now in
                    worker.tun.replace(ends.value.0, on: id)
                    worker.udp.replace(ends.value.1, on: id)
                    worker.wireGuard.set(limits, on: id)
                    worker.wireGuard.setUp(true, on: id, now)
                    worker.serve(id)
                }
            ]
        }
        return WorkerRound.run(errands, slice: 1, mailboxes)
    }

    /// Its peers go as if a client had taken them; then its ends close, and with the last of them the device is gone.
    func leave(_ id: InterfaceID) -> Bool {
        var change = DeviceChange()
        change.privateKey = .remove
        change.replacesPeers = true
        // There is always room for less.
        guard let edit = try? registry.commit(change, on: id) else { return false }
        settled(edit.settledPeers)
        guard carryOut(edit) else { return false }
        handshakes.setOutlet(nil, on: id)
        let closed = WorkerRound.run(mailboxes) { worker, now in
            worker.wireGuard.setUp(false, on: id, now)
            worker.udp.replace(ClosedPort(), on: id)
            worker.tun.replace(TUNQueue(ClosedTUN()), on: id)
        }
        waitUntilClosed()
        registry.vacate(id)
        return closed
    }
}
