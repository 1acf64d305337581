import Foundation
import Glibc
import Linux
import Locking
import Synchronization
import Testing
import Wire

@testable import Control

/// A server on a thread of its own, in a folder of its own.
final class Service {
    let runDirectory: String
    let socket: ControlSocket
    private let server: ControlServer
    private var thread: Linux.Thread?

    init(
        _ name: String = "edge", in directory: String? = nil, patience: Interval = ControlServer.patience,
        _ handler: @escaping ControlServer.Handler = { _ in ControlProtocol.Answer(status: .sample) }
    ) throws {
        runDirectory = directory ?? NSTemporaryDirectory() + "control-\(UUID().uuidString.prefix(8))"
        socket = ControlSocket(router: name, runDirectory: runDirectory)
        let server = try ControlServer(socket, patience: patience)
        self.server = server
        thread = try Linux.Thread(name: "control") { server.run(handler) }
    }

    func stop() {
        server.stop()
        thread.take()?.join()
    }

    /// What comes back for these bytes.
    func ask(_ bytes: [UInt8], thenClose: Bool = true) throws -> [UInt8] {
        let descriptor = try socket.connect()
        let raw = descriptor.rawValue
        let connection = ControlConnection(descriptor, patience: .seconds(20))
        connection.write(Data(bytes))
        if thenClose { shutdown(raw, CInt(SHUT_WR)) }
        return connection.readLine(bound: 1 << 20).map { [UInt8]($0) } ?? []
    }

    func ask(_ line: String) throws -> String {
        String(decoding: try ask(Array((line + "\n").utf8)), as: UTF8.self)
    }

    deinit {
        stop()
        server.remove()
        unsafe rmdir(runDirectory)
    }
}

extension RouterStatus {
    static let sample = RouterStatus(
        name: "edge", file: "/etc/fullbore/edge.yaml", pid: 42, workers: 2, aead: "libsodium",
        interfaces: [
            Interface(
                name: "wg0", publicKey: "PUB=", listenPort: 51820, fwmark: 51, mtu: 1420,
                addresses: ["10.80.0.1/24", "fd80::1/64"],
                peers: [
                    Peer(
                        name: "berlin", publicKey: "KEY=", hasPresharedKey: true, endpoint: "192.0.2.1:51820",
                        allowedIPs: ["10.80.0.2/32"], latestHandshake: 1_700_000_000, received: 3, sent: 4,
                        persistentKeepalive: 25, hasSession: true, worker: 1),
                    Peer(
                        name: "lisbon", publicKey: "OTHER=", hasPresharedKey: false, endpoint: nil, allowedIPs: [],
                        latestHandshake: nil, received: 0, sent: 0, persistentKeepalive: 0, hasSession: false, worker: 0
                    ),
                ])
        ],
        stages: [
            Stage(
                name: "tun", counters: [Count(name: "packets-read", value: .max)],
                drops: [Count(name: "not-ip", value: 0)])
        ])
}

@Suite struct ControlTests {
    @Test func aStatusGoesThereAndBack() throws {
        let service = try Service()
        #expect(try ControlClient.status(service.socket) == .sample)
        #expect(try ControlClient.status(service.socket) == .sample, "one request a connection, as many as one likes")
    }

    /// Other programs read this: a change here is a change of the format.
    @Test func theAnswerOnTheWireIsExactlyThis() throws {
        let service = try Service()
        let golden =
            #"{"status":{"aead":"libsodium","file":"/etc/fullbore/edge.yaml","interfaces":[{"#
            + #""addresses":["10.80.0.1/24","fd80::1/64"],"fwmark":51,"listen-port":51820,"mtu":1420,"name":"wg0","#
            + #""peers":[{"allowed-ips":["10.80.0.2/32"],"endpoint":"192.0.2.1:51820","#
            + #""latest-handshake":1700000000,"name":"berlin","persistent-keepalive":25,"preshared-key":true,"#
            + #""public-key":"KEY=","received":3,"sent":4,"session":true,"worker":1},"#
            + #"{"allowed-ips":[],"name":"lisbon","persistent-keepalive":0,"preshared-key":false,"#
            + #""public-key":"OTHER=","received":0,"sent":0,"session":false,"worker":0}],"public-key":"PUB="}],"#
            + #""name":"edge","pid":42,"stages":[{"counters":[{"name":"packets-read","value":18446744073709551615}],"#
            + #""drops":[{"name":"not-ip","value":0}],"name":"tun"}],"version":1,"workers":2},"version":1}"#
        #expect(try service.ask(#"{"version":1,"command":"status"}"#) == golden)
        // Whatever else a request says.
        #expect(try service.ask(#"{"command":"status","version":1,"later":{"x":[1]}}"#) == golden)
    }

    static let refused: [(request: String, sentence: String)] = [
        (#"{"version":2,"command":"status"}"#, "request of version 2, but this router speaks 1"),
        (#"{"version":2,"command":"levitate","to":9}"#, "request of version 2, but this router speaks 1"),
        (#"{"version":-1,"command":"status"}"#, "request of version -1, but this router speaks 1"),
        (#"{"version":1,"command":"levitate"}"#, "unknown command; there are: status, reload, firewall"),
        (#"{"version":1}"#, "unknown command; there are: status, reload, firewall"),
        (#"{"version":1,"command":7}"#, "unknown command; there are: status, reload, firewall"),
        ("status", "this is no request: a line of JSON with a version and a command is"),
        (#"{"command":"status"}"#, "this is no request: a line of JSON with a version and a command is"),
        (#"{"version":"1","command":"status"}"#, "this is no request: a line of JSON with a version and a command is"),
        (#"{"version":1,"command":"status""#, "this is no request: a line of JSON with a version and a command is"),
        ("[]", "this is no request: a line of JSON with a version and a command is"),
    ]

    @Test(arguments: refused.indices) func aRequestThatCannotBeCarriedOutGetsASentence(index: Int) throws {
        let service = try Service { _ in
            Issue.record("it was carried out")
            return ControlProtocol.Answer(error: "")
        }
        let (request, sentence) = Self.refused[index]
        #expect(try service.ask(request) == #"{"error":"\#(sentence)","version":1}"#)
    }

    @Test func theClientTellsWhatTheRouterSays() throws {
        let service = try Service { _ in ControlProtocol.Answer(error: "the workers do not answer") }
        #expect(throws: ControlClient.Problem.self) { try ControlClient.status(service.socket) }
        do {
            _ = try ControlClient.status(service.socket)
        } catch {
            #expect("\(error)" == "the router refused: the workers do not answer")
        }
    }

    // MARK: Clients that misbehave

    @Test(arguments: [0, 1, 7]) func bytesThatAreNoTextAreRefusedAndTheNextIsServed(seed: UInt8) throws {
        let service = try Service()
        let garbage = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ Int(seed)) } + [10]
        _ = try service.ask(garbage)
        _ = try service.ask([])
        _ = try service.ask([10])
        _ = try service.ask([0])
        #expect(try ControlClient.status(service.socket) == .sample)
    }

    @Test func aRequestThatIsTooLongIsNotRead() throws {
        let service = try Service()
        let long = Array(#"{"version":1,"command":"status","x":""#.utf8) + [UInt8](repeating: 0x61, count: 1 << 20)
        #expect(try service.ask(long + Array("\"}\n".utf8)).isEmpty)
        #expect(try ControlClient.status(service.socket) == .sample)
        // As long as may be.
        let head = #"{"version":1,"command":"status","x":""#
        let padding = String(repeating: "a", count: ControlProtocol.requestBound - head.utf8.count - 2)
        #expect(try service.ask(head + padding + "\"}").hasPrefix(#"{"status":"#))
    }

    @Test func aClientThatSaysNothingIsSentAwayAndTheNextIsServed() throws {
        let service = try Service(patience: .seconds(3))
        let silent = ControlConnection(try service.socket.connect(), patience: .seconds(20))
        #expect(try ControlClient.status(service.socket) == .sample)
        #expect(silent.readLine(bound: 10) == nil)
    }

    /// It could go on for ever: that somebody else is served shows that it was not let.
    @Test func aClientThatSaysAByteNowAndThenIsSentAwayToo() throws {
        let service = try Service(patience: .seconds(3))
        let slow = try service.socket.connect()
        let isSentAway = Atomic(false)
        let thread = try Linux.Thread(name: "slow") { [descriptor = slow.rawValue] in
            while unsafe send(descriptor, " ", 1, CInt(MSG_NOSIGNAL)) == 1 { usleep(1000) }
            isSentAway.store(true, ordering: .releasing)
        }
        #expect(try ControlClient.status(service.socket) == .sample)
        thread.join()
        let gone = isSentAway.load(ordering: .acquiring)
        #expect(gone)
    }

    /// The server would wait for its client longer than the test may take.
    @Test(.timeLimit(.minutes(2))) func aServerStopsAtOnceWhileAClientSaysNothing() throws {
        let service = try Service(patience: .seconds(86_400))
        let silent = try service.socket.connect()
        // More than the socket holds, and no end of a line: it is all sent when the server reads, and then waits.
        try SocketOption.set(silent.rawValue, SOL_SOCKET, SO_SNDBUF, 4096, "SO_SNDBUF")
        let half = [UInt8](repeating: 0x20, count: ControlProtocol.requestBound / 2)
        #expect(unsafe send(silent.rawValue, half, half.count, CInt(MSG_NOSIGNAL)) == half.count)
        service.stop()
        _ = silent.rawValue
    }

    @Test func aClientThatGoesAwayBeforeTheAnswerHarmsNobody() throws {
        let service = try Service { _ in
            usleep(50_000)
            return ControlProtocol.Answer(status: .sample)
        }
        for _ in 0..<3 {
            let connection = ControlConnection(try service.socket.connect(), patience: .seconds(1))
            connection.write(ControlProtocol.encode(ControlProtocol.Request(.status)))
        }
        #expect(try ControlClient.status(service.socket) == .sample)
    }

    // MARK: The socket

    /// unshare(CLONE_FS), which Swift does not see.
    private static func unshareFileSystemAttributes() throws {
        let symbol = unsafe try #require(dlsym(nil, "unshare"))
        let unshare = unsafe unsafeBitCast(symbol, to: (@convention(c) (CInt) -> CInt).self)
        try Errno.check(unshare(0x200), "unshare")
    }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    /// Whatever the mask of who starts it: a thread that shares its file system attributes with no other has its own.
    @Test(arguments: [0, 0o077] as [mode_t]) func onlyTheOwnerMayConnect(mask: mode_t) throws {
        let modes = Guarded<(socket: mode_t, folder: mode_t)?>(nil)
        let thread = try Linux.Thread(name: "mask") {
            do {
                try Self.unshareFileSystemAttributes()
                _ = umask(mask)
                let service = try Service()
                let found = (Self.mode(service.socket.path), Self.mode(service.socket.directory))
                modes.withLock { $0 = found }
            } catch {
                Issue.record(error)
            }
        }
        thread.join()
        let found = try #require(modes.withLock { $0 })
        #expect(found.socket == 0o600 || found.socket == 0o700)
        #expect(found.folder & 0o022 == 0, "and nobody else can put another in its place")
    }

    @Test func aSecondRouterOfTheNameIsRefusedAndTheFirstGoesOn() throws {
        let service = try Service()
        #expect(throws: Errno(EADDRINUSE)) { _ = try Service("edge", in: service.runDirectory) }
        #expect(try ControlClient.status(service.socket) == .sample)
        let other = try Service("other", in: service.runDirectory)
        #expect(ControlSocket.routers(in: service.runDirectory) == ["edge", "other"])
        #expect(try ControlClient.status(other.socket) == .sample)
    }

    @Test func aSocketThatARouterLeftBehindIsReplaced() throws {
        let directory = NSTemporaryDirectory() + "control-\(UUID().uuidString.prefix(8))"
        let socket = ControlSocket(router: "edge", runDirectory: directory)
        do {
            // As after kill -9: the file is there, and nobody listens.
            let left = try socket.listen()
            _ = left.rawValue
        }
        #expect(unsafe access(socket.path, F_OK) == 0)
        #expect(throws: ControlClient.Problem.self) { try ControlClient.status(socket) }
        let service = try Service("edge", in: directory)
        #expect(try ControlClient.status(socket) == .sample)
        service.stop()
    }

    @Test func aServerThatGoesTakesItsSocketAndFolderWithIt() throws {
        let directory = NSTemporaryDirectory() + "control-\(UUID().uuidString.prefix(8))"
        let socket = ControlSocket(router: "edge", runDirectory: directory)
        do {
            let service = try Service("edge", in: directory)
            service.stop()
        }
        #expect(unsafe access(socket.directory, F_OK) != 0)
        do {
            _ = try ControlClient.status(socket)
            Issue.record("nobody is there")
        } catch {
            #expect("\(error)" == "no router is listening at \(socket.path)")
        }
        unsafe rmdir(directory)
    }

    @Test func aPathThatDoesNotFitASocketsAddressIsAnError() throws {
        let long = NSTemporaryDirectory() + String(repeating: "x", count: 120)
        #expect(throws: Errno.self) { try ControlServer(ControlSocket(router: "edge", runDirectory: long)) }
        unsafe rmdir(long + "/edge")
        unsafe rmdir(long)
    }
}
