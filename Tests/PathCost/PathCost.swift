import Crypto
import Pipeline
import Router
import WireGuard

/// Takes packets through a part of the path and does nothing else, for etc/bench to count its instructions and its time:
///
///     path-cost routers ROUNDS                 ROUNDS times a batch of packets from either of two routers in memory to the
///                                              other, whole from their files on, with the pipeline of the core
///     path-cost protocol AEAD BYTES ROUNDS     ROUNDS times a batch of IP packets of BYTES through the `wireguard` stages of two
///     path-cost batches AEAD BYTES ROUNDS      the same without the stages: what is to be taken off
///     path-cost cipher AEAD BYTES ROUNDS       as many packets through the cipher alone
///
///     path-cost handshakes ROUNDS              ROUNDS times a handshake of two routers in memory: initiation, response, first data
///     path-cost computations ROUNDS            the same, of which the part is measured that threads for handshakes do
///     path-cost rests ROUNDS                   the same without handshakes: the time in between, which is to be taken off
///     path-cost x25519 ROUNDS                  as many times the Curve25519 operations of both sides alone
///     path-cost cores seal|open WORKERS PEERS MIB
///                                              MIB through the workers of a router, on threads, from and to ends in memory
///
///     path-cost aeads                          the AEADs that this machine has, one a line
///
/// AEAD is `libsodium`, `ipsec-mb`, or `null`, which only copies. Times are nanoseconds of CPU time: `protocol` and `cipher` print
/// those of a packet as `seal` and `open`; `handshakes`, `computations` and `x25519` those of one side. `routers` prints how many
/// packets went each way, and which stages of Plugins are compiled in; `cores` prints Gbit/s by the clock.
@main struct PathCost {
    private static let packetsARound = 16

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.count) {
        case ("aeads", 1): return AEAD.here.forEach { print($0.name) }
        case ("routers", 2), ("handshakes", 2), ("computations", 2), ("rests", 2), ("x25519", 2):
            guard let rounds = Int(arguments[2]) else { break }
            switch arguments[1] {
            case "routers": return try routers(rounds)
            case "handshakes": return try handshakes(rounds)
            case "computations": return try computations(rounds)
            case "rests": return try rests(rounds)
            default: return x25519(rounds)
            }
        case ("protocol", 4), ("batches", 4), ("cipher", 4):
            guard let aead = AEAD.named(arguments[2]), let bytes = Int(arguments[3]), let rounds = Int(arguments[4])
            else { break }
            switch arguments[1] {
            case "protocol": return try protocolAlone(aead, bytes, rounds)
            case "batches": return try batches(aead, bytes, rounds)
            default: return cipher(aead, bytes, rounds)
            }
        case ("cores", 5):
            guard let workers = Int(arguments[3]), let peers = Int(arguments[4]), let mib = Int(arguments[5]) else {
                break
            }
            let bytes = mib << 20
            switch arguments[2] {
            case "seal": return print(try Cores.seal(workers: workers, peers: peers, bytes: bytes))
            case "open": return print(try Cores.open(workers: workers, peers: peers, bytes: bytes))
            default: break
            }
        default: break
        }
        fatalError(
            "path-cost aeads | routers|handshakes|computations|rests|x25519 ROUNDS | protocol|batches|cipher AEAD BYTES ROUNDS | "
                + "cores seal|open WORKERS PEERS MIB"
        )
    }

    private static func routers(_ rounds: Int) throws {
        let pair = try RouterPair.connected()
        for _ in 0..<rounds {
            pair.left.send(packetsARound)
            pair.right.send(packetsARound)
            pair.settle()
        }
        let expected = rounds * packetsARound
        guard pair.right.received == expected + 1, pair.left.received == expected else {
            fatalError("\(pair.right.received) and \(pair.left.received) packets arrived, not \(expected)")
        }
        let plugins = StageRegistry.plugins.map(\.name).joined(separator: " ")
        print("\(2 * expected) packets; plugins: \(plugins.isEmpty ? "none" : plugins)")
    }

    private static func protocolAlone(_ aead: AEAD, _ bytes: Int, _ rounds: Int) throws {
        var pair = try ProtocolPair(aead, bytes: bytes)
        var (sealing, opening) = (Stopwatch(), Stopwatch())
        for _ in 0..<rounds {
            pair.fill()
            sealing.measure { pair.seal() }
            let opened = opening.measure { pair.open() }
            guard opened == ProtocolPair.packetsABatch else { fatalError("\(opened) packets were opened") }
            pair.empty()
        }
        report(sealing, opening, rounds)
    }

    private static func batches(_ aead: AEAD, _ bytes: Int, _ rounds: Int) throws {
        var pair = try ProtocolPair(aead, bytes: bytes)
        for _ in 0..<rounds {
            pair.fill()
            pair.empty()
        }
    }

    private static func cipher(_ aead: AEAD, _ bytes: Int, _ rounds: Int) {
        let cipher = BareCipher(aead)
        var (sealing, opening) = (Stopwatch(), Stopwatch())
        for round in 0..<rounds {
            let counter = UInt64(round)
            sealing.measure { for _ in 0..<ProtocolPair.packetsABatch { cipher.seal(bytes, counter: counter) } }
            opening.measure {
                for _ in 0..<ProtocolPair.packetsABatch where !cipher.open(bytes, counter: counter) {
                    fatalError("forged")
                }
            }
        }
        report(sealing, opening, rounds)
    }

    private static func handshakes(_ rounds: Int) throws {
        let pair = try HandshakePair()
        var shaking = Stopwatch()
        for _ in 0..<rounds { shake(pair) { body in shaking.measure(body) } }
        print("handshake \(shaking.nanoseconds / (2 * rounds))")
    }

    private static func computations(_ rounds: Int) throws {
        let pair = try HandshakePair()
        pair.measureComputing()
        for _ in 0..<rounds { shake(pair) { body in body() } }
        print("computation \(pair.computing / (2 * rounds))")
    }

    private static func shake(_ pair: borrowing HandshakePair, _ measure: (() -> Void) -> Void) {
        pair.rest()
        let before = pair.progress
        measure { pair.shakeHands() }
        let after = pair.progress
        guard after.packets == before.packets + 1, after.answered == before.answered + UInt64(Response.size) else {
            fatalError("there was more or less than a handshake: \(before) became \(after)")
        }
    }

    private static func rests(_ rounds: Int) throws {
        let pair = try HandshakePair()
        for _ in 0..<rounds { pair.rest() }
    }

    private static func x25519(_ rounds: Int) {
        let operations = BareX25519()
        var multiplying = Stopwatch()
        for _ in 0..<2 * rounds { multiplying.measure { operations.oneSide() } }
        print("x25519 \(multiplying.nanoseconds / (2 * rounds))")
    }

    /// Nanoseconds a packet.
    private static func report(_ sealing: Stopwatch, _ opening: Stopwatch, _ rounds: Int) {
        let packets = rounds * ProtocolPair.packetsABatch
        print("seal \(sealing.nanoseconds / packets)")
        print("open \(opening.nanoseconds / packets)")
    }
}
