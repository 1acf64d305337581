import Pipeline
import Router

/// Sends packets through two routers in memory, whole from their files on, and does nothing else, for etc/bench to count
/// its instructions:
///
///     path-cost ROUNDS     ROUNDS times a batch of packets from one router to the other, with the pipeline of the core
///
/// It prints how many packets went each way, and which stages of Plugins are compiled in.
@main struct PathCost {
    private static let packetsARound = 16

    static func main() throws {
        guard CommandLine.arguments.count == 2, let rounds = Int(CommandLine.arguments[1]) else {
            fatalError("path-cost ROUNDS")
        }
        let pair = try RouterPair()
        // The first packet waits for the handshake.
        pair.left.send(1)
        pair.settle()
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
}
