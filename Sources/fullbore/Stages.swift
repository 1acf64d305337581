import ArgumentParser
import Configuration
import Pipeline
import Router

struct Stages: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the stages that a pipeline can have, or tell all about one.",
        discussion: """
            Examples:
              fullbore stages
              fullbore stages dscp
            """)

    @Argument(help: "The stage's name; all are listed when left out.") var name: String?

    func run() throws {
        guard let name else { return say(StageManual.list(StageRegistry.schemas)) }
        guard let stage = StageRegistry.schemas.first(where: { $0.name == name }) else {
            let hint = Suggestion.hint(for: name, among: StageRegistry.schemas.map(\.name))
            complain("fullbore: there is no stage \(Quotation.quote(name))\(hint)")
            throw ExitCode.failure
        }
        say(StageManual.page(stage))
    }
}
