import ArgumentParser
import Control

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a running router what its file says now.",
        discussion: """
            What is equal is not touched: sessions, counters, queues and flows go on. A file that is not good, or that asks
            for what a running router cannot change, changes nothing (exit code 78). SIGHUP does the same.
            What clients such as wg have changed is undone.

            Examples:
              fullbore reload
              fullbore reload edge-1
            """)

    @Argument(help: "The router's name; may be left out when one router runs.") var name: String?
    @OptionGroup var place: RunDirectory

    func run() throws {
        do throws(ControlClient.Problem) {
            let name = try place.chosen(name)
            let changes = try ControlClient.reload(ControlSocket(router: name, runDirectory: place.path))
            say(changes.isEmpty ? "\(name): nothing has changed" : changes.joined(separator: "\n"))
        } catch {
            complain(error.isForConfiguration ? "\(error)" : "fullbore: \(error)")
            throw error.exitCode
        }
    }
}

extension RunDirectory {
    /// The router that is named, or the one that runs here.
    func chosen(_ name: String?) throws(ControlClient.Problem) -> String {
        if let name { return name }
        let running = ControlSocket.routers(in: path).filter {
            (try? ControlClient.status(ControlSocket(router: $0, runDirectory: path))) != nil
        }
        guard let first = running.first else { throw .notRunning(path) }
        guard running.count == 1 else { throw .ambiguous(running.sorted()) }
        return first
    }
}
