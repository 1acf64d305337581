import ArgumentParser

/// The program: one file a command.
@main struct Fullbore: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "fullbore",
        abstract: "A WireGuard router: one YAML file declares interfaces, peers and the path of a packet.",
        discussion: """
            Examples:
              fullbore genkey > /etc/fullbore/wg0.key
              fullbore pubkey < /etc/fullbore/wg0.key
              fullbore check /etc/fullbore/router.yaml
              fullbore run /etc/fullbore/router.yaml
              fullbore show edge-1 --json
              fullbore reload edge-1
              fullbore wg0                      # a bare interface, for wg and wg-quick to set up

            Exit codes: 0 ok, 1 failed, 64 usage, 69 not running, 77 permission, 78 configuration.
            """,
        version: version,
        subcommands: [
            Run.self, Check.self, Show.self, Reload.self, Stages.self, Stage.self, Schema.self, GenKey.self,
            PubKey.self, GenPSK.self,
            Interface.self,
        ],
        defaultSubcommand: Interface.self)
}
