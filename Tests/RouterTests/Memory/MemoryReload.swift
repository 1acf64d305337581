import Configuration
import Glibc
import Linux
import Locking
import Logging
import PacketPath
import Pipeline
import Wire
import WireGuard

@testable import Router

/// Makes a router in memory what another file says, as `Reloader` does it, with the workers having their turns here.
struct MemoryReload {
    let changes: LiveChanges
    private let world: World

    init(_ world: World, _ router: MemoryRouter) {
        self.world = world
        changes = LiveChanges(
            router.registry, router.mailboxes, router.directories, router.handshakes, Logger(label: "test")
        ) { _, port, _ throws(Errno) in throw Errno(port == 0 ? EMFILE : EADDRINUSE) }
    }

    func load(_ text: String) throws -> RouterConfiguration {
        let source = SourceText(file: "\(world.folder)/router.yaml", bytes: Array(world.withKeys(text).utf8))
        return try ConfigurationFile.load(source, stages: StageRegistry.schemas).configuration
    }

    func callAsFunction(_ text: String, from current: String, host: ReloadProblem? = nil) throws -> FileOutcome {
        let (next, before) = (try load(text), try load(current))
        let keys = KeyFile(configuration: "\(world.folder)/router.yaml", credentials: nil)
        let change = Handover(
            FileChange(
                interfaces: [(InterfaceID(0), try InterfaceFile(next.interfaces[0], keys))], arrivals: [],
                departures: [], file: "f", groups: next.groups,
                pipeline: Reloader.recipes(next.pipeline, before.pipeline)))
        let box = Box()
        let changes = changes
        let thread = try Thread(name: "reload") {
            do throws(ReloadProblem) {
                let outcome = try changes.apply(change.value) { () throws(ReloadProblem) in if let host { throw host } }
                box.result.withLock { $0 = .success(outcome) }
            } catch {
                box.result.withLock { $0 = .failure(error) }
            }
        }
        while box.result.withLock({ $0 == nil }) {
            world.settle()
            usleep(100)
        }
        thread.join()
        guard let result = box.result.withLock({ $0 }) else { preconditionFailure("it has not ended") }
        return try result.get()
    }

    private final class Box: Sendable {
        let result = Guarded<Result<FileOutcome, ReloadProblem>?>(nil)
    }
}
