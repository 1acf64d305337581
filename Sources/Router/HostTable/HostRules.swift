import Configuration
import Control
import HostStages
import Locking
import Logging
import Nftables
import Pipeline

/// Keeps the rules of the host stages in step with the file, and with the peers and ports that clients change.
///
/// A change of peers has two transactions around it: before the workers hear of it, rules are narrowed to what is true
/// before and after; when all of them know, the rules say what is true now.
final class HostRules: Sendable {
    fileprivate struct Running {
        var configuration: RouterConfiguration
        /// What the rules were last made for; without anybody in it where there are none.
        var context: FileContext

        var hasStages: Bool { configuration.hasHostStages }
    }

    private let table: HostTable
    private let name: String
    private let registry: PeerRegistry
    private let file: String
    private let logger: Logger
    private let running: Guarded<Running>

    init(_ configuration: RouterConfiguration, _ registry: PeerRegistry, file: String, _ logger: Logger) {
        name = configuration.name
        table = HostTable(router: configuration.name)
        (self.registry, self.file, self.logger) = (registry, file, logger)
        let empty = FileContext(router: configuration.name, file: file)
        running = Guarded(Running(configuration: configuration, context: empty))
    }

    // MARK: From start to end

    /// Before anything is forwarded.
    func start() throws(RouterError) {
        do throws(NftablesError) {
            try running.withLock { running throws(NftablesError) in
                guard running.hasStages else {
                    return attempt("a table of an earlier run may still be there") { () throws(NftablesError) in
                        try table.clear()
                    }
                }
                running.context = FileContext(running.configuration, file: file, registry)
                try table.apply(HostTable.Proposal(running.context))
            }
        } catch {
            throw .hostRules(error)
        }
    }

    func giveUpStart() {
        attempt("rules of a start that failed are still there") { () throws(NftablesError) in try table.giveUpStart() }
    }

    func takeBack() { attempt("the rules are still there") { () throws(NftablesError) in try table.takeBack() } }

    private func attempt(_ otherwise: String, _ step: () throws(NftablesError) -> Void) {
        do throws(NftablesError) { try step() } catch { logger.warning("\(otherwise): \(error)") }
    }

    // MARK: Peers and ports

    /// False, and the log says why, where rules could not follow a change of peers or ports: somebody has taken their table.
    func canFollow() -> Bool {
        do throws(NftablesError) {
            try table.checkAccess()
            return true
        } catch {
            logger.error("a change by wg is refused, the rules could not follow it: \(error)")
            return false
        }
    }

    /// The registry has changed, and the workers are about to hear of it; `move` is of a tunnel whose port is about to change.
    @discardableResult
    func narrow(_ move: (tunnel: String, port: UInt16)? = nil) -> Bool {
        follow { next, running in
            var next = next
            if let move { next.move(move.tunnel, to: move.port) }
            return next.common(with: running.context)
        }
    }

    /// All workers know what the registry knows.
    @discardableResult
    func settle() -> Bool {
        follow { next, running in
            running.context = next
            return next
        }
    }

    /// False where the rules are not what they are to be.
    private func follow(_ context: (FileContext, inout Running) -> FileContext) -> Bool {
        running.withLock { running in
            guard running.hasStages else { return true }
            let next = FileContext(running.configuration, file: file, registry)
            do throws(NftablesError) {
                try table.apply(HostTable.Proposal(context(next, &running)))
                return true
            } catch {
                logger.error("the rules do not follow a change of peers: \(error)")
                return false
            }
        }
    }

    // MARK: Another file

    /// The rules of `next`, as far as they are true for the peers before and after. Throws what the kernel says against them,
    /// and changes nothing.
    func prepare(_ next: RouterConfiguration) throws(NftablesError) -> Prepared {
        try running.withLock { running throws(NftablesError) -> Prepared in
            let context = transition(to: next, from: running)
            let proposal = HostTable.Proposal(context)
            try table.rehearse(proposal)
            return Prepared(before: running, after: Running(configuration: next, context: context), proposal: proposal)
        }
    }

    /// What rules may take for true until the workers know of the peers of `next`.
    private func transition(to next: RouterConfiguration, from running: Running) -> FileContext {
        guard next.hasHostStages else { return FileContext(router: name, file: file) }
        let before = running.hasStages ? running.context : FileContext(running.configuration, file: file, registry)
        var context = next.context(file: file)
        context.keepPorts(of: before)
        return context.common(with: before)
    }

    /// Makes the prepared rules those that are in force; `settle` has to follow, or `undo`. When it throws, nothing has
    /// changed.
    func commit(_ prepared: Prepared) throws(NftablesError) -> HostTable.Change {
        try running.withLock { running throws(NftablesError) -> HostTable.Change in
            let change = try table.apply(prepared.proposal, verifying: true)
            running = prepared.after
            return change
        }
    }

    /// Back to the rules of before. What only those count begins at 0 again.
    func undo(_ prepared: Prepared) {
        running.withLock { running in
            running = prepared.before
            attempt("the rules are those of a file that was refused") { () throws(NftablesError) in
                try table.apply(HostTable.Proposal(running.context))
            }
        }
    }

    struct Prepared: Sendable {
        fileprivate let before: Running
        fileprivate let after: Running
        fileprivate let proposal: HostTable.Proposal
    }

    // MARK: For people

    func answer() -> ControlProtocol.Answer {
        do throws(NftablesError) {
            return ControlProtocol.Answer(firewall: try table.status(router: name))
        } catch {
            return ControlProtocol.Answer(error: "\(error)")
        }
    }
}

extension RouterConfiguration {
    fileprivate var hasHostStages: Bool { pipeline.contains { $0.options is any HostOptions } }
}
