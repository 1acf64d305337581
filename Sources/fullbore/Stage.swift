import ArgumentParser
import Foundation

struct Stage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a stage of one's own, in a checkout of the source.", subcommands: [New.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Begin a stage: its folder, README and tests, and its lines in the lists.",
            discussion: """
                What is written builds and passes its tests as it stands, so that a stage is begun by changing one that
                works. Plugins/README.md tells the rest.

                Example:
                  fullbore stage new port-knock && swift build --build-tests && swift test --filter PortKnock
                """)

        @Argument(help: "The stage's name in router files: lower-case words with '-' between them.") var name: String

        func run() throws {
            let checkout = URL(filePath: FileManager.default.currentDirectoryPath)
            do throws(StageScaffold.Problem) {
                let scaffold = try StageScaffold(name, in: checkout)
                for path in try scaffold.write() { say("  \(path)") }
                say("swift build --build-tests && swift test --filter \(scaffold.type)")
            } catch {
                complain("fullbore: \(error.text)")
                throw ExitCode.failure
            }
        }
    }
}
