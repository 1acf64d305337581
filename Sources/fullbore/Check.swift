import ArgumentParser
import Configuration
import Glibc
import Router

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Parse and validate a router file, without privileges.",
        discussion: """
            Prints every error with its line, and exits 78 if there is one. Keys that this user may not read are noted,
            not refused.

            Example:
              fullbore check /etc/fullbore/router.yaml
            """)

    @Argument(help: "The router file.") var file: String

    func run() throws {
        let loaded = try RouterFile.load(file, for: .checking)
        let peers = loaded.configuration.interfaces.reduce(0) { $0 + $1.peers.count }
        say("\(file): good: interfaces \(loaded.configuration.interfaces.count), peers \(peers)")
    }
}

/// What `check` and `run` have in common.
enum RouterFile {
    /// The file and its keys, once they are known to be good; otherwise prints what isn't and exits 78.
    static func load(_ file: String, for purpose: KeyCheck.Purpose) throws -> LoadedConfiguration {
        do throws(ConfigurationReport) {
            let loaded = try ConfigurationFile.load(path: file, stages: StageRegistry.schemas)
            if !loaded.warnings.isEmpty { complain("\(loaded.warnings)") }
            let notes = try KeyCheck.check(loaded, keys(file), for: purpose)
            if !notes.isEmpty { complain("\(notes)") }
            return loaded
        } catch {
            complain("\(error)")
            throw ExitCode.configuration
        }
    }

    static func keys(_ file: String) -> KeyFile {
        let credentials = unsafe getenv("CREDENTIALS_DIRECTORY").map { unsafe String(cString: $0) }
        return KeyFile(configuration: file, credentials: credentials)
    }
}
