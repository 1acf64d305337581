import Configuration
import Control
import Glibc
import Linux
import PacketPath
import Pipeline
import Wire

/// What a router does for clients of the UAPI.
final class UAPIService: Sendable {
    private let registry: PeerRegistry
    private let mailboxes: [Mailbox]
    private let plan: RouterPlan
    private let changes: LiveChanges
    /// The interface of each socket.
    private let interfaces: [InterfaceID]

    init(
        _ registry: PeerRegistry, _ mailboxes: [Mailbox], _ plan: RouterPlan, _ changes: LiveChanges,
        _ sockets: [UAPISocket]
    ) {
        self.registry = registry
        self.mailboxes = mailboxes
        self.plan = plan
        self.changes = changes
        interfaces = sockets.compactMap { socket in
            plan.interfaces.first { $0.configuration.name.value == socket.interface }?.id
        }
    }

    func carryOut(_ operation: UAPIOperation, onSocket index: Int) -> UAPIServer.Answer {
        let id = interfaces[index]
        switch operation {
        case .get:
            guard let answers = StatusQuestion(mailboxes, interfaces: plan.interfaces.count).answers() else {
                return .result(Errno(EIO))
            }
            return .state(StatusReport(plan, registry, answers).device(id))
        case .set(let change): return .result(changes.apply(change, on: id))
        case .refused(let error): return .result(error)
        }
    }
}
