import Crypto
import Foundation
import Locking
import Pipeline
import Testing
import UDP
import Wire

/// Routers and peers on a network in memory, and the time that they live in, which goes from event to event.
///
/// A router's file may say `<name>` for the public key of `name`, and `{ file: name.key }` for its private key.
final class World {
    let network: MemoryNetwork
    let clock = WorldClock()
    let folder: String
    private let names: [String]
    private(set) var routers: [MemoryRouter] = []
    private(set) var peers: [EnginePeer] = []

    /// Makes the keys of `names`.
    init(_ names: [String] = ["a", "b", "c", "d"], conditions: MemoryNetwork.Conditions = .init()) throws {
        network = MemoryNetwork(conditions: conditions)
        self.names = names
        var template = Array("/tmp/fullbore-test-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else { throw WorldError.noFolder(errno) }
        folder = unsafe String(cString: made)
        for name in names {
            let text = Self.privateKey(name).withText(.base64) { unsafe Data($0) }
            let created = FileManager.default.createFile(
                atPath: "\(folder)/\(name).key", contents: text, attributes: [.posixPermissions: 0o600])
            guard created else { throw WorldError.noKey(name) }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func privateKey(_ name: String) -> PrivateKey {
        var secret = Secret()
        let bytes = Array(name.utf8)
        for index in 0..<Secret.byteCount {
            unsafe secret.mutableBytes.storeBytes(
                of: bytes[index % bytes.count] &* 7 &+ UInt8(index), toByteOffset: index, as: UInt8.self)
        }
        return PrivateKey(clamping: secret)
    }

    static func publicKey(_ name: String) -> PublicKey { privateKey(name).publicKey }

    /// The file's text with the keys in it.
    func withKeys(_ text: String) -> String {
        names.reduce(text) { $0.replacingOccurrences(of: "<\($1)>", with: Self.publicKey($1).base64) }
    }

    func attach(_ router: MemoryRouter) { routers.append(router) }
    func attach(_ peer: EnginePeer) { peers.append(peer) }

    // MARK: Time

    var now: Instant { network.now }

    /// How often everyone may have a turn at one moment: beyond it somebody goes in circles.
    private static let roundBound = 10_000

    /// Lets everything happen that happens within `interval`.
    func run(_ interval: Interval = .seconds(1)) {
        let end = now + interval
        settle()
        while true {
            var next = network.nextDelivery
            for router in routers { next = min(next, router.nextDeadline) }
            for peer in peers { next = min(next, peer.nextDeadline) }
            guard next <= end else { break }
            advance(to: max(next, now))
            settle()
        }
        advance(to: end)
        settle()
    }

    private func advance(to moment: Instant) {
        network.advance(to: moment)
        clock.move(to: moment)
    }

    /// Turns for whoever has something to do at this moment, until nobody has.
    func settle() {
        for _ in 0..<Self.roundBound {
            var anyone = false
            for router in routers { if router.turn(now) { anyone = true } }
            for peer in peers { if peer.turn(now) { anyone = true } }
            if network.nextDelivery <= now { network.advance(to: now) }
            if !anyone { return }
        }
        Issue.record("somebody goes in circles at \(now)")
    }
}

enum WorldError: Error {
    case noFolder(Int32)
    case noKey(String)
}

/// The wall clock of a world, which runs with its virtual time.
final class WorldClock: Sendable {
    private let moment = Guarded(Instant(nanoseconds: 0))
    func move(to moment: Instant) { self.moment.withLock { $0 = moment } }

    var wall: WallTime {
        let passed = moment.withLock { $0.nanoseconds }
        return WallTime(seconds: 1_700_000_000 + passed / 1_000_000_000, nanoseconds: UInt32(passed % 1_000_000_000))
    }
}
