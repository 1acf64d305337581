import ArgumentParser
import Configuration
import Control
import Glibc
import Linux
import Logging
import Pipeline
import Router

struct Interface: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "interface",
        abstract: "Make a bare WireGuard interface for wg, wg-quick and scripts, in the background.",
        discussion: """
            The name alone does: `fullbore wg0`. The interface is down and knows nobody; wg sets keys and peers, ip sets
            addresses and brings it up. It ends when its link is deleted, its socket /var/run/wireguard/IFNAME.sock is
            removed, or by SIGTERM, SIGINT or SIGHUP.

            Examples:
              fullbore wg0 && wg setconf wg0 wg0.conf && ip address add 10.80.0.1/24 dev wg0 && ip link set wg0 up
              WG_QUICK_USERSPACE_IMPLEMENTATION=fullbore wg-quick up wg0

            Environment: LOG_LEVEL (verbose or debug, error, silent), WG_PROCESS_FOREGROUND=1 (as -f), WG_TUN_FD and
            WG_UAPI_FD (descriptors of a TUN device and of a listening socket, to use instead of new ones).
            """)

    @Flag(name: .shortAndLong, help: "Stay in the foreground.") var foreground = false
    @Argument(help: "The interface's name.") var name: String?
    @OptionGroup var place: RunDirectory

    func run() throws {
        guard let name else { throw CleanExit.helpRequest(Fullbore.self) }
        guard let problem = InterfaceName.problem(name) else {
            if foreground || Environment.isForeground { return try serve(name) }
            try Background.start()
            return hint(name)
        }
        complain("fullbore: \(problem)")
        throw ExitCode(64)
    }

    /// A command that was misspelled is an interface's name too.
    private func hint(_ name: String) {
        let commands = Fullbore.configuration.subcommands.map {
            $0.configuration.commandName ?? "\($0)".lowercased()
        }
        guard isatty(STDERR_FILENO) != 0, let command = Suggestion.nearest(to: name, among: commands) else { return }
        complain("fullbore: made the interface '\(name)'; if you meant 'fullbore \(command)': ip link delete \(name)")
    }

    private func serve(_ name: String) throws {
        let background = Background.Child()
        let logger = LogFormat.logger(Environment.logLevel)
        // Before there are threads, which inherit the blocked signals.
        let signals = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        signal(SIGPIPE, SIG_IGN)

        let router: Router
        let socket: FileDescriptor
        do throws(RouterError) {
            router = try Router(
                DropIn(
                    name, tun: try Environment.descriptor("WG_TUN_FD"), uapi: try Environment.descriptor("WG_UAPI_FD")),
                runDirectory: place.path, stateDirectory: "", logger: logger)
        } catch {
            complain("fullbore: \(error)")
            throw error.isForPrivileges ? ExitCode.permission : ExitCode.failure
        }
        do throws(Errno) {
            socket = try router.uapi[0].watch()
        } catch {
            complain("fullbore: \(name): cannot watch its socket: \(error)")
            router.stop()
            throw ExitCode.failure
        }
        logger.info("\(name): ready")
        background?.isReady()
        wait(for: signals, router, socket)
        let failure = router.failure
        router.stop()
        if let failure, !failure.isInterfaceGone {
            logger.critical("\(name): stopped: \(failure.text)")
            throw ExitCode.failure
        }
        logger.info("\(name): stopped")
    }

    /// Returns when the interface is to end, or cannot go on.
    private func wait(for signals: borrowing SignalDescriptor, _ router: Router, _ socket: borrowing FileDescriptor) {
        var waiting = [signals.rawValue, router.failureDescriptor, socket.rawValue].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while router.failure == nil, !router.uapi[0].isUnlinked {
            _ = unsafe poll(&waiting, 3, -1)
            if waiting[0].revents != 0, signals.next() != nil { return }
            if waiting[2].revents != 0 { Environment.drain(socket) }
        }
    }
}

/// What wireguard-go understands too.
private enum Environment {
    static func value(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

    static var isForeground: Bool { value("WG_PROCESS_FOREGROUND") == "1" }

    static var logLevel: Logger.Level {
        switch value("LOG_LEVEL") {
        case "verbose", "debug": .debug
        case "silent": .critical
        default: .error
        }
    }

    /// An open descriptor that whoever started us has left.
    static func descriptor(_ name: String) throws(RouterError) -> FileDescriptor? {
        guard let text = value(name), !text.isEmpty else { return nil }
        guard let number = CInt(text), number > STDERR_FILENO, fcntl(number, F_GETFD) != -1 else {
            throw .system(Errno(EBADF, call: name))
        }
        return FileDescriptor(owning: number)
    }

    /// What inotify tells beside that there is something.
    static func drain(_ descriptor: borrowing FileDescriptor) {
        var events = [UInt8](repeating: 0, count: 4096)
        _ = try? unsafe events.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
    }
}
