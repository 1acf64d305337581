import ArgumentParser
import Control
import Foundation

struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show running routers: interfaces, peers, stages and what they dropped.",
        discussion: """
            Examples:
              fullbore show
              fullbore show edge-1
              fullbore show edge-1 --firewall
              fullbore show edge-1 --json | jq '.interfaces[].peers[]."latest-handshake"'
            """)

    @Argument(help: "The router's name; all that run when left out.") var name: String?
    @Flag(help: "JSON, with a version; a list when no name is given.") var json = false
    @Flag(help: "The rules of the stages in nftables, each with its hits.") var firewall = false
    @OptionGroup var place: RunDirectory

    func run() throws {
        if firewall { return try showFirewall() }
        if let name {
            guard json else { return print(try ask(name, ControlClient.status)) }
            return say(String(decoding: try ask(name, ControlClient.statusText), as: UTF8.self))
        }
        var all: [RouterStatus] = []
        for name in ControlSocket.routers(in: place.path) {
            // What was killed leaves a socket behind; it is not running, and that is no failure.
            do throws(ControlClient.Problem) {
                all.append(try ControlClient.status(ControlSocket(router: name, runDirectory: place.path)))
            } catch {
                if case .notRunning = error { continue }
                complain("fullbore: \(name): \(error)")
                throw error.exitCode
            }
        }
        if json { return try printJSON(all) }
        guard !all.isEmpty else {
            complain("fullbore: no router is running")
            throw ExitCode.notRunning
        }
        for (index, status) in all.enumerated() {
            if index > 0 { say("") }
            print(status)
        }
    }

    private func showFirewall() throws {
        do throws(ControlClient.Problem) {
            let name = try place.chosen(name)
            let status = try ControlClient.firewall(ControlSocket(router: name, runDirectory: place.path))
            json ? try? printJSON(status) : say(HostTableText(status, style: .forOutput).lines.joined(separator: "\n"))
        } catch {
            complain("fullbore: \(error)")
            throw error.exitCode
        }
    }

    private func ask<Answer>(
        _ name: String, _ question: (ControlSocket) throws(ControlClient.Problem) -> Answer
    ) throws -> Answer {
        do {
            return try question(ControlSocket(router: name, runDirectory: place.path))
        } catch {
            complain("fullbore: \(error)")
            throw error.exitCode
        }
    }

    private func print(_ status: RouterStatus) {
        say(StatusText(status, now: Date().timeIntervalSince1970, style: .forOutput).lines.joined(separator: "\n"))
    }

    private func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        say(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
