import Crypto
import Foundation
import Glibc
import Linux
import Locking
import Testing
import Wire

@testable import Control

/// A device behind a UAPI socket, in a folder of its own.
private final class Device {
    let folder = NSTemporaryDirectory() + "fullbore-uapi-\(UUID().uuidString)"
    let socket: UAPISocket
    let seen: Seen
    private let server: UAPIServer
    private var thread: Linux.Thread?

    final class Seen: Sendable {
        let ports = Guarded<[UInt16]>([])
    }

    init(_ state: DeviceState = DeviceState(), refusing error: Errno? = nil) throws {
        socket = try UAPISocket(interface: "wg0", directory: folder)
        let seen = Seen()
        self.seen = seen
        let server = try UAPIServer([socket]) { _, operation in
            switch operation {
            case .get: return .state(state)
            case .set(let change):
                seen.ports.withLock { $0.append(change.listenPort ?? 0) }
                return .result(error)
            case .refused(let error): return .result(error)
            }
        }
        self.server = server
        thread = try Linux.Thread(name: "uapi") { server.run() }
    }

    func connect() throws -> Client { try Client(socket.path) }

    func stop() {
        server.stop()
        thread.take()?.join()
    }

    deinit {
        stop()
        socket.remove()
        unsafe rmdir(folder)
    }
}

/// A client that waits for its answers.
private final class Client {
    private let descriptor: FileDescriptor
    private var received: [UInt8] = []

    init(_ path: String) throws { descriptor = try UnixSocket.connect(path) }

    func write(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            rest = try rest.dropFirst(unsafe rest.withUnsafeBytes { try unsafe descriptor.write($0) })
        }
    }

    func ask(_ text: String) throws -> [String] {
        try write(text)
        return try answer()
    }

    /// The lines up to the empty one that ends an answer.
    func answer() throws -> [String] {
        let end = Array("\n\n".utf8)
        while true {
            for index in received.indices.dropLast() where received[index] == end[0] && received[index + 1] == end[1] {
                let text = String(decoding: received[..<index], as: UTF8.self)
                received.removeFirst(index + 2)
                return text.split(separator: "\n").map { String($0) }
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            let count = try unsafe chunk.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
            guard count > 0 else { return ["the connection has ended"] }
            received += chunk[..<count]
        }
    }
}

@Suite struct UAPIServerTests {
    @Test func p8_getIsExactlyThis() throws {
        var state = DeviceState()
        let ones = String(repeating: "11", count: 32)
        if let key = PrivateKey(.hex, "10" + ones.dropFirst(4) + "51") { state.privateKey = Shared(key) }
        state.listenPort = 51820
        state.fwmark = 7
        var peer = DeviceState.Peer(try #require(PublicKey(hex: ones)))
        if let key = PresharedKey(.hex, ones) { peer.presharedKey = Shared(key) }
        peer.endpoint = Endpoint("[fe80::1%3]:9")
        peer.lastHandshake = WallTime(seconds: 1_700_000_000, nanoseconds: 42)
        (peer.received, peer.sent, peer.persistentKeepalive) = (1, 2, 25)
        peer.allowedIPs = ["10.0.0.0/8", "fd00::/64"].compactMap { Prefix($0) }
        state.peers = [peer, DeviceState.Peer(try #require(PublicKey(hex: String(repeating: "0", count: 64))))]
        let device = try Device(state)
        let zeros = String(repeating: "0", count: 64)
        let expected = [
            "private_key=10" + ones.dropFirst(4) + "51", "listen_port=51820", "fwmark=7", "public_key=\(ones)",
            "preshared_key=\(ones)", "protocol_version=1", "endpoint=[fe80::1%3]:9",
            "last_handshake_time_sec=1700000000", "last_handshake_time_nsec=42", "tx_bytes=2", "rx_bytes=1",
            "persistent_keepalive_interval=25", "allowed_ip=10.0.0.0/8", "allowed_ip=fd00::/64",
            "public_key=\(zeros)", "preshared_key=\(zeros)", "protocol_version=1", "last_handshake_time_sec=0",
            "last_handshake_time_nsec=0", "tx_bytes=0", "rx_bytes=0", "persistent_keepalive_interval=0", "errno=0",
        ]
        #expect(try device.connect().ask("get=1\n\n") == expected)
    }

    @Test func p8_14_errorsAreNegative() throws {
        let device = try Device(refusing: Errno(EADDRINUSE))
        let connection = try device.connect()
        #expect(try connection.ask("set=1\nlisten_port=1\n\n") == ["errno=-98"])
        #expect(try connection.ask("set=1\nlisten_port=x\n\n") == ["errno=-22"])
        #expect(try connection.ask("set=1\nlisten_port\n\n") == ["errno=-71"])
        #expect(device.seen.ports.withLock { $0 } == [1], "what cannot be never reaches the interface")
    }

    @Test func p8_aConnectionTakesManyOperations() throws {
        let device = try Device()
        let connection = try device.connect()
        try connection.write("set=1\nlisten_port=1\n\nset=1\nlisten_port=2\n\nget=1\n\n")
        for _ in 0..<3 { #expect(try connection.answer() == ["errno=0"]) }
        #expect(try connection.ask("set=1\nlisten_port=3\n\n") == ["errno=0"])
        #expect(device.seen.ports.withLock { $0 } == [1, 2, 3])
    }

    @Test func p8_connectionsDoNotWaitForEachOther() throws {
        let device = try Device()
        let idle = try (0..<8).map { _ in try UnixSocket.connect(device.socket.path).release() }
        defer { for descriptor in idle { close(descriptor) } }
        #expect(try device.connect().ask("get=1\n\n") == ["errno=0"])
        device.stop()
    }

    @Test func p8_theSocketIsItsOwners() throws {
        let device = try Device()
        var status = stat()
        #expect(unsafe lstat(device.socket.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(unsafe lstat(device.folder, &status) == 0 && status.st_mode & 0o777 == 0o755)
    }

    @Test func p8_aLiveSocketIsLeftAloneAndADeadOneReplaced() throws {
        let device = try Device()
        #expect(throws: Errno(EADDRINUSE)) { try UAPISocket(interface: "wg0", directory: device.folder) }
        #expect(!device.socket.isUnlinked)
        let watch = try device.socket.watch()
        var waiting = pollfd(fd: watch.rawValue, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&waiting, 1, 0) == 0)
        unsafe unlink(device.socket.path)
        #expect(
            unsafe poll(&waiting, 1, 1000) == 1 && device.socket.isUnlinked,
            "whoever unlinks it wants the interface gone")

        // One whose process is gone.
        let path = device.folder + "/wg1.sock"
        do { _ = try UnixSocket.listen(path) }
        #expect(unsafe access(path, F_OK) == 0)
        let again = try UAPISocket(interface: "wg1", directory: device.folder)
        #expect(!again.isUnlinked)
        again.remove()
        #expect(unsafe access(path, F_OK) != 0)
    }

    @Test func aLongAnswerGoesOutInPieces() throws {
        var state = DeviceState()
        for number in 0..<10_000 {
            let key = try #require(
                PublicKey(hex: String(String(number + (1 << 40), radix: 16) + Self.sixty).prefix(64)))
            state.peers.append(DeviceState.Peer(key))
        }
        let device = try Device(state)
        let lines = try device.connect().ask("get=1\n\n")
        #expect(lines.count { $0.hasPrefix("public_key=") } == 10_000 && lines.last == "errno=0")
    }

    private static let sixty = String(repeating: "5", count: 64)
}
