import ArgumentParser
import Configuration
import Control
import Glibc
import Linux
import Logging
import Router

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the router in the foreground until SIGTERM or SIGINT.",
        discussion: """
            Logs one line 'ready' when packets can flow. SIGHUP reloads the file, as 'fullbore reload' does. On its way out it takes back every link, address, route and
            setting that it made.

            Example:
              fullbore run /etc/fullbore/router.yaml
            """)

    @Argument(help: "The router file.") var file: String
    @OptionGroup var place: RunDirectory
    @OptionGroup var state: StateDirectory

    func run() throws {
        let loaded = try RouterFile.load(file, for: .running)
        let logger = LogFormat.logger()
        // Before there are threads, which inherit the blocked signals.
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        signal(SIGPIPE, SIG_IGN)

        let name = loaded.configuration.name
        let router: Router
        do {
            // The text of a large file is not kept.
            router = try Router(
                consume loaded, RouterFile.keys(file), runDirectory: place.path, stateDirectory: state.path,
                logger: logger)
        } catch {
            complain("fullbore: \(error)")
            throw error.isForPrivileges ? ExitCode.permission : ExitCode.failure
        }
        logger.info("\(name): ready")
        wait(for: signals, router, logger)
        let failure = router.failure
        router.stop()
        if let failure {
            logger.critical("\(name): stopped: \(failure.text)")
            throw ExitCode.failure
        }
        logger.info("\(name): stopped")
    }

    /// Returns when the router is to end, or cannot go on.
    private func wait(for signals: borrowing SignalDescriptor, _ router: Router, _ logger: Logger) {
        var waiting = [
            pollfd(fd: signals.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: router.failureDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            _ = unsafe poll(&waiting, 2, -1)
            guard router.failure == nil else { return }
            switch signals.next() {
            case SIGTERM, SIGINT: return
            case SIGHUP: _ = try? router.reload()  // which says in the log what came of it
            default: continue
            }
        }
    }
}

/// Where routers have their control sockets.
struct RunDirectory: ParsableArguments {
    @Option(name: .customLong("run-dir"), help: "Where routers have their control sockets (or FULLBORE_RUN_DIR).")
    var runDirectory: String?

    var path: String {
        if let runDirectory { return runDirectory }
        return unsafe getenv("FULLBORE_RUN_DIR").map { unsafe String(cString: $0) } ?? ControlSocket.defaultRunDirectory
    }
}

/// Where routers keep what outlives them.
struct StateDirectory: ParsableArguments {
    private static let defaultPath = "/var/lib/fullbore"

    @Option(name: .customLong("state-dir"), help: "Where routers keep what outlives them (or FULLBORE_STATE_DIR).")
    var stateDirectory: String?

    var path: String {
        if let stateDirectory { return stateDirectory }
        return unsafe getenv("FULLBORE_STATE_DIR").map { unsafe String(cString: $0) } ?? Self.defaultPath
    }
}
