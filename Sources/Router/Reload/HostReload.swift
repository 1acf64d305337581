import Configuration
import Logging
import Nftables

/// The host's part of a reload: addresses, routes and settings, and the rules in nftables.
///
/// The rules change when all that can be refused has been done, or rehearsed: until then the old ones hold, with what they have
/// counted. Forwarding goes off before they change and on after it, so that nothing is forwarded without the rules that
/// belong to it.
struct HostReload {
    private let rules: HostRules
    private let host: HostDesk
    private let logger: Logger

    init(_ rules: HostRules, _ host: HostDesk, _ logger: Logger) {
        (self.rules, self.host, self.logger) = (rules, host, logger)
    }

    /// What has become of the rules. When it throws, the host is as it was.
    func apply(
        _ next: RouterConfiguration, from current: RouterConfiguration
    ) throws(ReloadProblem) -> HostTable.Change {
        let prepared = try asProblem { () throws(NftablesError) in try rules.prepare(next) }
        if next.forwards { try asProblem { () throws(HostSideError) in try host.checkForwarding() } }
        try become(next, forwarding: next.forwards && current.forwards)
        let change: HostTable.Change
        do throws(ReloadProblem) {
            change = try asProblem { () throws(NftablesError) in try rules.commit(prepared) }
        } catch {
            goBack(to: current)
            throw error
        }
        guard next.forwards, !current.forwards else { return change }
        do throws(ReloadProblem) {
            try become(next, forwarding: true)
        } catch {
            rules.undo(prepared)
            goBack(to: current)
            throw error
        }
        return change
    }

    private func become(_ configuration: RouterConfiguration, forwarding: Bool) throws(ReloadProblem) {
        try asProblem { () throws(HostSideError) in
            try host.apply(configuration.interfaces.map(\.hostSide), forwarding: forwarding)
        }
    }

    private func goBack(to current: RouterConfiguration) {
        do throws(ReloadProblem) {
            try become(current, forwarding: current.forwards)
        } catch {
            logger.error("the host is not wholly as it was: \(error)")
        }
    }

    private func asProblem<Result>(
        _ step: () throws(NftablesError) -> Result
    ) throws(ReloadProblem) -> Result {
        do throws(NftablesError) { return try step() } catch { throw .hostRules(error) }
    }

    private func asProblem(_ step: () throws(HostSideError) -> Void) throws(ReloadProblem) {
        do throws(HostSideError) { try step() } catch { throw .host(error) }
    }
}

extension RouterConfiguration {
    fileprivate var forwards: Bool { forwarding == .auto }
}
