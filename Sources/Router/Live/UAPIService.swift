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

    init(_ registry: PeerRegistry, _ mailboxes: [Mailbox], _ plan: RouterPlan, _ changes: LiveChanges) {
        self.registry = registry
        self.mailboxes = mailboxes
        self.plan = plan
        self.changes = changes
    }

    func carryOut(_ operation: UAPIOperation, on name: String) -> UAPIServer.Answer {
        switch operation {
        case .get:
            // It may have gone with the file meanwhile.
            guard let id = registry.interface(named: name) else { return .result(Errno(ENODEV)) }
            guard let answers = StatusQuestion(mailboxes, interfaces: registry.slotCount).answers() else {
                return .result(Errno(EIO))
            }
            return .state(StatusReport(plan, registry, answers).device(id))
        case .set(let change): return .result(changes.apply(change, on: name))
        case .refused(let error): return .result(error)
        }
    }
}
