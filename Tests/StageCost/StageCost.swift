import Pipeline
import Router
import StageTestKit
import Wire

/// Runs one stage over packets and does nothing else, for etc/bench to count its instructions:
///
///     stage-cost STAGE OPTIONS PEER KIND ROUNDS    ROUNDS times 64 entries down and 64 up; STAGE `none` is the loop alone
///     stage-cost list                              the stages that there are
///
/// PEER are the peer's options, or `-`. KIND is `packet`, of 128 bytes, or `super`, of 64 kB in segments down; what comes up
/// is a packet always.
@main struct StageCost {
    private static let batch = 64
    /// Those of a super-packet as TCP makes it for an MTU of 1420: 64 kB.
    private static let (segment, segments) = (1380, 47)

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.last != "list" else {
            return StageRegistry.plugins.filter { $0.make != nil }.forEach { print($0.name) }
        }
        guard arguments.count == 6, let rounds = Int(arguments[5]), let packet = packet(arguments[4]) else {
            fatalError("stage-cost STAGE OPTIONS PEER packet|super ROUNDS")
        }
        let pool = BufferPool()
        let peer = PeerID(0)
        var now = Instant.benchStart
        let stage = try stage(arguments[1], arguments[2], pool, now)
        stage?.set(peer, options: try peerOptions(arguments[3], of: arguments[1]))
        let answer = TestPacket.udp(from: "10.0.1.2", to: "10.0.0.1", payload: 100)
        var down = PacketBatch(pool: pool)
        var up = PacketBatch(pool: pool)
        for _ in 0..<rounds {
            now = now + .milliseconds(1)
            (down.now, up.now) = (now, now)
            for _ in 0..<batch {
                down.append(packet.packet(pool, peer: peer))
                up.append(answer.packet(pool, peer: peer))
            }
            stage?.outbound(&down)
            stage?.inbound(&up)
            down.removeAll()
            up.removeAll()
            for _ in 0..<StageEnvironment.originationBound {
                guard let stage, stage.nextDeadline <= now else { break }
                stage.originate(down: &down, up: &up)
                down.removeAll()
                up.removeAll()
            }
        }
    }

    /// What goes to the peer.
    private static func packet(_ kind: String) -> TestPacket? {
        switch kind {
        case "packet": .udp(payload: 100)
        case "super": .tcp(payload: segment * segments) { $0.segmentSize = segment }
        default: nil
        }
    }

    private static func peerOptions(_ text: String, of name: String) throws -> (any OptionRecord)? {
        guard text != "-", let schema = StageRegistry.plugins.first(where: { $0.name == name }) else { return nil }
        return try OptionsText.read(text, as: schema.peerOptions, of: name)
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
