import Configuration
import Linux
import Locking
import Logging
import Nftables
import PacketPath
import Pipeline
import Wire

/// Makes a running router what its file says now, or leaves it wholly as it is and says why; where neither can be had, it ends.
///
/// The file is read and checked beside the running configuration. Then come the parts that can fail, sockets, the host and the
/// rules in nftables (`HostReload`); the workers' part cannot fail any more. What is equal is not touched.
package final class Reloader: Sendable {
    private let file: String
    private let keys: KeyFile
    private let router: RunningRouter
    private let host: HostDesk
    private let logger: Logger
    /// What is running, with the marks that were chosen for it. One reload at a time has it.
    private let running: Guarded<RouterConfiguration>

    init(_ file: String, _ keys: KeyFile, _ router: RunningRouter, _ host: HostDesk, _ logger: Logger) {
        self.file = file
        self.keys = keys
        self.router = router
        self.host = host
        self.logger = logger
        running = Guarded(router.plan.configuration)
    }

    /// What has changed, in lines for people; empty when the file says what is running already.
    package func reload() throws(ReloadProblem) -> [String] {
        do throws(ReloadProblem) {
            let lines = try carryOut()
            logger.info("reloaded: \(lines.isEmpty ? "nothing has changed" : lines.joined(separator: "; "))")
            return lines
        } catch {
            if case .brokeOff = error {
                router.fail(RouterFailure(text: "\(error)", isInterfaceGone: false))
            } else {
                logger.error("not reloaded, nothing has changed: \(error)")
            }
            throw error
        }
    }

    private func carryOut() throws(ReloadProblem) -> [String] {
        try running.withLock { running throws(ReloadProblem) -> [String] in
            let loaded = try load()
            let reasons = RestartReasons.between(running, and: loaded)
            guard reasons.isEmpty else { throw .needsRestart(reasons) }
            let next = try withMarks(loaded.configuration, running)
            let change = try change(to: next, from: running)
            // Not while the change is made: who is told of a link waits for the change to be over.
            for id in change.departures { router.links.remove(id) }
            var outcome: FileOutcome
            var rules = HostTable.Change.none
            do throws(ReloadProblem) {
                outcome = try router.changes.apply(change) { () throws(ReloadProblem) in
                    rules = try HostReload(router.rules, host, logger).apply(next, from: running)
                }
            } catch {
                router.watchAgain(change.departures)
                throw error
            }
            router.follow(change)
            switch rules {
            case .none: break
            case .rules: outcome.summary.append("rules in nftables")
            case .repair: outcome.summary.append("rules in nftables, which somebody had changed, put back")
            }
            router.resolver.look(for: outcome.searches)
            running = next
            return outcome.summary
        }
    }

    // MARK: What can fail without a trace

    private func load() throws(ReloadProblem) -> LoadedConfiguration {
        do throws(ConfigurationReport) {
            let loaded = try ConfigurationFile.load(path: file, stages: StageRegistry.schemas)
            _ = try KeyCheck.check(loaded, keys, for: .running)
            if !loaded.warnings.isEmpty { logger.warning("\(loaded.warnings)") }
            return loaded
        } catch {
            throw .configuration(error)
        }
    }

    /// An interface that has the default route keeps the mark that it has; one that gets it gets a mark.
    private func withMarks(
        _ next: RouterConfiguration, _ current: RouterConfiguration
    ) throws(ReloadProblem) -> RouterConfiguration {
        var next = next
        let held = current.interfaces.filter(\.takesDefaultRoute).map { ($0.name.value, $0.fwmark) }
        do throws(HostSideError) {
            try PolicyRouting.chooseMarks(&next, held: Dictionary(held) { first, _ in first })
        } catch {
            throw .host(error)
        }
        return next
    }

    private func change(
        to next: RouterConfiguration, from current: RouterConfiguration
    ) throws(ReloadProblem) -> FileChange {
        var staying: [(id: InterfaceID, file: InterfaceFile)] = []
        var coming: [InterfaceFile] = []
        for interface in next.interfaces {
            let file: InterfaceFile
            do throws(KeyProblem) { file = try InterfaceFile(interface, keys) } catch { throw .key(error) }
            if let id = router.registry.interface(named: interface.name.value) {
                staying.append((id, file))
            } else {
                coming.append(file)
            }
        }
        let kept = Set(staying.map(\.id))
        return FileChange(
            interfaces: staying, arrivals: try arrivals(coming, next.runtime.offloads),
            departures: router.registry.interfaces.filter { !kept.contains($0) },
            file: file, groups: next.groups, pipeline: Self.recipes(next.pipeline, current.pipeline))
    }

    /// Makes the new interfaces. Those that are not taken over end with what is returned.
    private func arrivals(
        _ files: [InterfaceFile], _ offloads: OffloadConfiguration
    ) throws(ReloadProblem) -> [InterfaceArrival] {
        guard !files.isEmpty else { return [] }
        guard let slots = router.registry.vacancies(files.count) else {
            throw .needsRestart(["\(file): more than \(RouterPlan.spareSlots) interfaces beside those at the start"])
        }
        let stamps = router.timestamps?.load() ?? [:]
        var arrivals: [InterfaceArrival] = []
        for (id, file) in zip(slots, files) {
            do throws(RouterError) {
                let ends = try RouterEnds.open(file.configuration, offloads, router.indices)
                let remembered = stamps[file.configuration.name.value] ?? [:]
                arrivals.append(InterfaceArrival(id: id, file: file, ends: ends, remembered: remembered))
            } catch {
                throw .ends(error)
            }
        }
        return arrivals
    }

    /// nil when the pipeline stays as it is.
    static func recipes(_ next: [PipelineEntry], _ current: [PipelineEntry]) -> [StageRecipe]? {
        guard next != current else { return nil }
        return next.compactMap { entry in
            let name = entry.stage.value
            guard let schema = StageRegistry.schemas.first(where: { $0.name == name }),
                schema.declaration.place == .path
            else { return nil }
            let before = current.first { $0.stage.value == name }
            return StageRecipe(
                name: name, options: entry.options, isChanged: before.map { $0 != entry } ?? true, make: schema.make)
        }
    }

}
