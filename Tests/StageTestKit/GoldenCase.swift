import Configuration
import Foundation
import Pipeline
import Testing
import Wire

/// A case in a folder: options and packets in; packets out and every counter, as they are to be.
///
///     Golden/NAME/options.yaml   a line each: `options: { … }`, `peer 0: { … }`, and `run: 1s` after the last packet
///     Golden/NAME/in.pcap        packets, their moments, directions and peers (`CaptureFile`)
///     Golden/NAME/out.pcap       the same of what comes out
///     Golden/NAME/counters       a line for each counter and each reason of drops
///
/// With FULLBORE_GOLDEN=write in the environment the last two are written instead of compared, and in.pcap too where the
/// test tells what is in it. Look at the difference before you commit it.
package struct GoldenCase {
    private let folder: URL
    private let sourceLocation: SourceLocation

    /// The case of this name in the folder Golden beside the file of the test.
    package init(_ name: String, sourceLocation: SourceLocation = #_sourceLocation, file: String = #filePath) {
        folder = URL(filePath: file).deletingLastPathComponent().appending(path: "Golden/\(name)")
        self.sourceLocation = sourceLocation
    }

    private static var isWriting: Bool { ProcessInfo.processInfo.environment["FULLBORE_GOLDEN"] == "write" }

    /// Runs the stage over the case. `input` tells what is in in.pcap, where it was not captured somewhere.
    package func check<Plugin: PluginStage>(_ plugin: Plugin.Type, input: [CaptureFile.Entry]? = nil) throws {
        if let input { try settle("in.pcap", CaptureFile.bytes(input), Self.describe(input)) }
        let entries = try CaptureFile.entries(Array(try Data(contentsOf: folder.appending(path: "in.pcap"))))
        let file = try CaseFile(try String(contentsOf: folder.appending(path: "options.yaml"), encoding: .utf8))
        let interfaces = (entries.map(\.interface).max() ?? 0) + 1
        let bench = try StageBench(
            plugin, file.options, interfaces: interfaces, at: entries.first?.moment ?? .benchStart,
            sourceLocation: sourceLocation)
        for (number, options) in file.peers { try bench.set(number, options) }
        for entry in entries {
            bench.run(until: entry.moment)
            bench.enter([(entry.packet, entry.peer)], entry.interface, entry.direction)
        }
        bench.run(file.rest)
        let out = Self.entries(bench.takeDown(), .outbound) + Self.entries(bench.takeUp(), .inbound)
        let sorted = out.enumerated().sorted {
            ($0.element.moment, $0.offset) < ($1.element.moment, $1.offset)
        }.map(\.element)
        try settle("out.pcap", CaptureFile.bytes(sorted), Self.describe(sorted))
        let counters = Self.text(bench.report)
        try settle("counters", Array(counters.utf8), counters)
        bench.acceptCounters()
    }

    private func settle(_ name: String, _ bytes: [UInt8], _ description: String) throws {
        let place = folder.appending(path: name)
        if Self.isWriting { return try Data(bytes).write(to: place) }
        let expected = Array(try Data(contentsOf: place))
        guard bytes != expected else { return }
        let was =
            name.hasSuffix(".pcap")
            ? Self.describe(try CaptureFile.entries(expected)) : String(decoding: expected, as: UTF8.self)
        Issue.record(
            "\(folder.lastPathComponent)/\(name) is\n\(description)\nand was to be\n\(was)",
            sourceLocation: sourceLocation)
    }

    private static func entries(_ passed: [Passed], _ direction: Direction) -> [CaptureFile.Entry] {
        passed.map {
            CaptureFile.Entry(
                $0.packet, direction, peer: $0.peer.index, interface: $0.interface.index, at: $0.moment)
        }
    }

    private static func describe(_ entries: [CaptureFile.Entry]) -> String {
        entries.map { "  \($0.moment.nanoseconds) \($0.direction) peer \($0.peer.index): \($0.packet)" }
            .joined(separator: "\n")
    }

    private static func text(_ report: StageReport) -> String {
        let lines =
            report.counters.map { "\($0.name) \($0.value)" } + report.drops.map { "dropped \($0.name) \($0.value)" }
        return lines.map { $0 + "\n" }.joined()
    }
}

/// What options.yaml says: the texts of options, for the bench to read as a router would.
private struct CaseFile {
    private(set) var options = "{}"
    private(set) var peers: [(Int, String?)] = []
    private(set) var rest = Interval(nanoseconds: 0)

    private struct Problem: Error, CustomStringConvertible { let description: String }

    /// A line for each key: `options: { … }`, `peer 0: { … }` or `peer 0:` where the file gives it none, `run: 1s`.
    init(_ text: String) throws {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let value = parts.count == 2 ? parts[1] : ""
            let key = parts.first ?? ""
            if key == "options" {
                options = value
            } else if key == "run" {
                rest = try Interval(Value.Scalar(value))
            } else if key.hasPrefix("peer "), let number = Int(key.dropFirst(5)) {
                peers.append((number, value.isEmpty ? nil : value))
            } else {
                throw Problem(description: "what is '\(line)'?")
            }
        }
    }
}
