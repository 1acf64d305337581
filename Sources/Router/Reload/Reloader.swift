import Configuration
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import Wire

/// Makes a running router what its file says now, or leaves it wholly as it is and says why.
///
/// The file is read and checked beside the running configuration. Then come the parts that can fail, sockets and the host,
/// each of which undoes itself; the workers' part cannot fail any more. What is equal is not touched.
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
            logger.error("not reloaded, nothing has changed: \(error)")
            throw error
        }
    }

    private func carryOut() throws(ReloadProblem) -> [String] {
        try running.withLock { running throws(ReloadProblem) -> [String] in
            let loaded = try load()
            let reasons = RestartReasons.between(running, and: loaded)
            guard reasons.isEmpty else { throw .needsRestart(reasons) }
            let next = try withMarks(loaded.configuration, running)
            let change = FileChange(
                interfaces: try interfaces(of: next), pipeline: Self.recipes(next.pipeline, running.pipeline))
            let outcome = try router.changes.apply(change) { () throws(ReloadProblem) in try applyToHost(next) }
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

    private func interfaces(
        of next: RouterConfiguration
    ) throws(ReloadProblem) -> [(id: InterfaceID, file: InterfaceFile)] {
        var result: [(id: InterfaceID, file: InterfaceFile)] = []
        for interface in router.plan.interfaces {
            guard let said = next.interfaces.first(where: { $0.name.value == interface.configuration.name.value })
            else {
                continue
            }
            do throws(KeyProblem) {
                result.append((interface.id, try InterfaceFile(said, keys)))
            } catch {
                throw .key(error)
            }
        }
        return result
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

    private func applyToHost(_ next: RouterConfiguration) throws(ReloadProblem) {
        do throws(HostSideError) {
            try host.apply(next.interfaces.map(\.hostSide), forwarding: next.forwarding == .auto)
        } catch {
            throw .host(error)
        }
    }
}
