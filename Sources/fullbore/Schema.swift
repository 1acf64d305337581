import ArgumentParser
import Configuration
import Router

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema (draft 2020-12) of a router file.",
        discussion: """
            Of the sections, the stages of this build and their options, for editors. `fullbore check` knows more.

            Example:
              fullbore schema > router.schema.json      # then, on top of a file: # yaml-language-server: $schema=…
            """)

    func run() { say(RouterSchema.schema(stages: StageRegistry.schemas).text) }
}
