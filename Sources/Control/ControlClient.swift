import Foundation
import Glibc
import Linux
import Wire

/// Asks a running router something.
package enum ControlClient {
    package enum Problem: Error, CustomStringConvertible {
        case notRunning(String)
        case notPermitted(String)
        /// More routers than one, and none is named.
        case ambiguous([String])
        case failed(Errno)
        case refused(String, isForConfiguration: Bool)
        case garbled

        package var description: String {
            switch self {
            case .notRunning(let path): "no router is listening at \(path)"
            case .notPermitted(let path): "may not connect to \(path)"
            case .ambiguous(let names): "which router? There are \(names.joined(separator: ", "))"
            case .failed(let error): "cannot ask the router: \(error)"
            case .refused(let sentence, isForConfiguration: true): sentence
            case .refused(let sentence, isForConfiguration: false): "the router refused: \(sentence)"
            case .garbled: "the router's answer cannot be read"
            }
        }
    }

    /// For a router that is busy with other clients.
    private static let patience = Interval.seconds(30)
    /// For one that reads a large file.
    private static let reloadPatience = Interval.seconds(300)

    package static func status(_ socket: ControlSocket) throws(Problem) -> RouterStatus {
        guard let status = try ask(socket, .status, patience).status else { throw .garbled }
        return status
    }

    /// The same as JSON, laid out for people.
    package static func statusText(_ socket: ControlSocket) throws(Problem) -> [UInt8] {
        let line = try exchange(socket, .status, patience)
        if let status = ControlProtocol.status(in: line) { return JSONLayout.indented([UInt8](status)) }
        _ = try answer(line)
        throw .garbled
    }

    package static func firewall(_ socket: ControlSocket) throws(Problem) -> HostTableStatus {
        guard let status = try ask(socket, .firewall, patience).firewall else { throw .garbled }
        return status
    }

    /// Has the router become what its file says; what has changed, a line each.
    package static func reload(_ socket: ControlSocket) throws(Problem) -> [String] {
        guard let changes = try ask(socket, .reload, reloadPatience).changes else { throw .garbled }
        return changes
    }

    private static func ask(
        _ socket: ControlSocket, _ command: ControlProtocol.Command, _ patience: Interval
    ) throws(Problem) -> ControlProtocol.Answer {
        try answer(try exchange(socket, command, patience))
    }

    private static func exchange(
        _ socket: ControlSocket, _ command: ControlProtocol.Command, _ patience: Interval
    ) throws(Problem) -> Data {
        let connection: ControlConnection
        do {
            connection = ControlConnection(try socket.connect(), patience: patience)
        } catch {
            switch error.rawValue {
            case ENOENT, ECONNREFUSED, ENOTDIR: throw .notRunning(socket.path)
            case EACCES, EPERM: throw .notPermitted(socket.path)
            default: throw .failed(error)
            }
        }
        connection.write(ControlProtocol.encode(ControlProtocol.Request(command)))
        guard let line = connection.readLine(bound: ControlProtocol.answerBound) else { throw .garbled }
        return line
    }

    private static func answer(_ line: Data) throws(Problem) -> ControlProtocol.Answer {
        guard let answer = try? JSONDecoder().decode(ControlProtocol.Answer.self, from: line)
        else { throw .garbled }
        if let error = answer.error { throw .refused(error, isForConfiguration: answer.isForConfiguration ?? false) }
        return answer
    }
}
