import Foundation
import Glibc
import Linux
import Testing
import Wire

@testable import Control

/// A router's control socket with clients of every kind.
struct ControlTests {
    /// A socket in a folder of its own.
    private let socket = ControlSocket(
        router: "test", runDirectory: "/tmp/fullbore-control-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")

    /// Runs `body` while a server answers every request with `text`; the time that its end takes.
    @discardableResult
    private func serve(_ text: String = "asked", _ body: () throws -> Void) throws -> Interval {
        let server = try ControlServer(socket)
        let thread = try Thread(name: "control") { server.run { _ in ControlProtocol.Answer(error: text) } }
        let outcome = Result { try body() }
        let before = Clocks.now()
        server.stop()
        thread.join()
        let time = Clocks.now() - before
        server.remove()
        unsafe rmdir(socket.directory.replacingOccurrences(of: "/test", with: ""))
        try outcome.get()
        return time
    }

    private func connect() throws -> ControlConnection {
        ControlConnection(try socket.connect(), patience: .seconds(10))
    }

    private func answer(to line: String) throws -> String? {
        let connection = try connect()
        connection.write(Data(line.utf8))
        return connection.readLine(bound: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aRequestIsAnswered() throws {
        try serve { () throws in
            #expect(try answer(to: #"{"version":1,"command":"status"}"# + "\n") == #"{"error":"asked","version":1}"#)
        }
    }

    @Test(arguments: [
        ("", "no request"), ("{}", "no request"), ("\u{0}", "no request"), ("[1]", "no request"),
        (#"{"version":2,"command":"status"}"#, "version 2"), (#"{"version":1,"command":"dance"}"#, "there are: status"),
        (#"{"version":1}"#, "there are: status"),
    ])
    func whatIsNoRequestIsAnsweredWithASentence(line: String, says: String) throws {
        try serve { () throws in #expect(try answer(to: line + "\n")?.contains(says) == true) }
    }

    @Test func aRequestWithoutEndIsCutOffAndTheNextOneServed() throws {
        try serve { () throws in
            let long = String(repeating: "x", count: ControlProtocol.requestBound * 2)
            #expect(try answer(to: long) == nil)
            #expect(try answer(to: long + "\n") == nil)
            #expect(try answer(to: "?\n") != nil)
        }
    }

    // MARK: The end is not held up by a client

    @Test func aSilentClientDoesNotHoldUpTheEnd() throws {
        var client: ControlConnection?
        let time = try serve { () throws in
            client = try connect()
            usleep(50_000)
        }
        #expect(time < .milliseconds(500))
        _ = client.take()
    }

    @Test func aClientThatDoesNotReadDoesNotHoldUpTheEnd() throws {
        var client: ControlConnection?
        let time = try serve(String(repeating: "long ", count: 2 << 20)) { () throws in
            let connection = try connect()
            connection.write(Data(#"{"version":1,"command":"status"}"#.utf8 + [UInt8(ascii: "\n")]))
            client = consume connection
            usleep(50_000)
        }
        #expect(time < .milliseconds(500))
        _ = client.take()
    }

    // MARK: Names

    @Test func aNameBelongsToOneRouterAndIsFreeAfterIt() throws {
        try serve { () throws in
            #expect(throws: Errno(EADDRINUSE)) { _ = try ControlServer(socket) }
            #expect(try answer(to: "?\n") != nil, "the first one goes on")
            #expect(ControlSocket.routers(in: socket.directory.replacingOccurrences(of: "/test", with: "")) == ["test"])
        }
        #expect(unsafe access(socket.directory, F_OK) != 0)
        #expect(throws: Errno(ENOENT)) { _ = try socket.connect() }
    }

    @Test func theSocketOfARouterThatWasKilledIsReplaced() throws {
        do {
            // Bound and closed, but still in the file system, as after kill -9.
            let left = try socket.listen()
            _ = consume left
        }
        #expect(throws: Errno(ECONNREFUSED)) { _ = try socket.connect() }
        try serve { () throws in #expect(try answer(to: "?\n") != nil) }
    }

    @Test func onlyItsOwnerMayConnect() throws {
        try serve { () throws in
            var status = stat()
            #expect(unsafe stat(socket.path, &status) == 0)
            #expect(status.st_mode & 0o077 == 0)
        }
    }
}
