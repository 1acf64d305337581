import Pipeline
import Router
import StageTestKit
import Wire

/// Runs one stage over packets and does nothing else, for etc/bench to count its instructions:
///
///     stage-cost STAGE OPTIONS ROUNDS     ROUNDS times 64 packets down and 64 up; STAGE `none` is the loop alone
///     stage-cost list                     the stages that there are
@main struct StageCost {
    private static let batch = 64
    /// How often a stage may ask for a turn at one moment, as a worker lets it.
    private static let turns = 8

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.last != "list" else {
            return StageRegistry.plugins.filter { $0.make != nil }.forEach { print($0.name) }
        }
        guard arguments.count == 4, let rounds = Int(arguments[3]) else {
            fatalError("stage-cost STAGE OPTIONS ROUNDS")
        }
        let pool = BufferPool()
        let peer = PeerID(0)
        var now = Instant.benchStart
        let stage = try stage(arguments[1], arguments[2], pool, now)
        stage?.set(peer, options: nil)
        let packet = TestPacket.udp(payload: 100)
        var down = PacketBatch(pool: pool)
        var up = PacketBatch(pool: pool)
        for _ in 0..<rounds {
            now = now + .milliseconds(1)
            (down.now, up.now) = (now, now)
            for _ in 0..<batch {
                down.append(packet.packet(pool, peer: peer))
                up.append(packet.packet(pool, peer: peer))
            }
            stage?.outbound(&down)
            stage?.inbound(&up)
            down.removeAll()
            up.removeAll()
            for _ in 0..<turns {
                guard let stage, stage.nextDeadline <= now else { break }
                stage.originate(down: &down, up: &up)
                down.removeAll()
                up.removeAll()
            }
        }
    }

    private static func stage(
        _ name: String, _ options: String, _ pool: BufferPool, _ now: Instant
    ) throws -> (any Pipeline.Stage)? {
        guard name != "none" else { return nil }
        guard let schema = StageRegistry.plugins.first(where: { $0.name == name }), let make = schema.make else {
            fatalError("there is no stage \(name) that can be made by itself")
        }
        let record = try OptionsText.read(options, as: schema.options, of: name)
        return make(record, StageEnvironment(pool: pool, now: now))
    }
}
