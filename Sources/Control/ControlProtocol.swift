import Foundation

/// The control socket's language: a line of JSON in, a line of JSON out, then the connection is closed.
package enum ControlProtocol {
    /// What this build speaks. A request of another version is refused with a sentence that names both.
    package static let version = 1
    /// The longest request that is read.
    static let requestBound = 64 << 10
    /// The longest answer that a client reads: a million peers' worth.
    static let answerBound = 1 << 30

    package struct Request: Codable, Sendable {
        package var version = ControlProtocol.version
        package var command: Command

        package init(_ command: Command) { self.command = command }
    }

    package enum Command: String, Codable, Sendable, CaseIterable {
        /// The router's `RouterStatus`.
        case status
        /// Makes the router what its file says now.
        case reload
        /// The `HostTableStatus`: what the rules in nftables have matched.
        case firewall
    }

    package struct Answer: Codable, Sendable {
        package var version = ControlProtocol.version
        package var status: RouterStatus?
        package var firewall: HostTableStatus?
        /// What a reload has changed, a line each; none when nothing has.
        package var changes: [String]?
        /// A sentence for the user; nil when the request was carried out.
        package var error: String?
        /// True when the error is the router file's.
        package var isForConfiguration: Bool?

        package init(status: RouterStatus) { self.status = status }
        package init(firewall: HostTableStatus) { self.firewall = firewall }
        package init(changes: [String]) { self.changes = changes }
        package init(error: String, isForConfiguration: Bool = false) {
            self.error = error
            if isForConfiguration { self.isForConfiguration = true }
        }
    }

    /// What stands around a status in an answer: whoever passes it on need not read it.
    private static let (beforeStatus, afterStatus) = (Data(#"{"status":"#.utf8), Data(#","version":\#(version)}"#.utf8))

    /// An answer with many peers in it is written by itself: `JSONEncoder` takes 15 µs for each.
    static func encode(_ answer: Answer) -> Data {
        guard let status = answer.status else { return encode(answer as any Encodable) }
        var writer = JSONWriter()
        status.write(to: &writer)
        return beforeStatus + writer.bytes + afterStatus + [UInt8(ascii: "\n")]
    }

    /// The text of the status in an answer; nil for an answer of another kind.
    static func status(in line: Data) -> Data? {
        guard line.starts(with: beforeStatus), line.suffix(afterStatus.count) == afterStatus else { return nil }
        return line.dropFirst(beforeStatus.count).dropLast(afterStatus.count)
    }

    static func encode(_ value: any Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var line = (try? encoder.encode(value)) ?? Data(#"{"version":1,"error":"cannot encode the answer"}"#.utf8)
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// The request in a line, or the sentence to answer with.
    static func decode(_ line: Data) -> Result<Request, RequestProblem> {
        struct Versioned: Decodable { var version: Int }
        guard let versioned = try? JSONDecoder().decode(Versioned.self, from: line) else {
            return .failure(RequestProblem("this is no request: a line of JSON with a version and a command is"))
        }
        guard versioned.version == version else {
            return .failure(
                RequestProblem("request of version \(versioned.version), but this router speaks \(version)"))
        }
        guard let request = try? JSONDecoder().decode(Request.self, from: line) else {
            let known = Command.allCases.map(\.rawValue).joined(separator: ", ")
            return .failure(RequestProblem("unknown command; there are: \(known)"))
        }
        return .success(request)
    }

    struct RequestProblem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }
}
