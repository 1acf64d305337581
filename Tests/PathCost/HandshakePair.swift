import PacketPath
import Pipeline
import Wire
import WireGuard

/// Two routers in memory that have a handshake whenever the left one is to send a packet: its session is too old each time.
struct HandshakePair: ~Copyable {
    /// KEEPALIVE_TIMEOUT and more: the right one has answered the packet by a keepalive, so that nobody waits for anything.
    private static let answer = Interval.seconds(11)
    /// REJECT_AFTER_TIME.
    private static let pause = Interval.seconds(180)

    private let routers: RouterPair

    init() throws { routers = try RouterPair.connected() }

    /// The time until the next handshake; no part of it.
    func rest() {
        routers.settle(after: Self.answer)
        routers.settle(after: Self.pause)
    }

    /// Initiation, response and the packet that has waited for them, all computed by this thread.
    func shakeHands() {
        routers.left.send(1)
        routers.settle()
    }

    /// From now on it is known how long the computations take, at the price of looking at the clock for each.
    func measureComputing() {
        (routers.left.computing, routers.right.computing) = (Stopwatch(), Stopwatch())
    }

    /// What the threads for handshakes would have taken of it, in nanoseconds of CPU time.
    var computing: Int { [routers.left, routers.right].reduce(0) { $0 + ($1.computing?.nanoseconds ?? 0) } }

    /// How many packets have arrived, and how many bytes of messages have come back: a response, or what came while it rested.
    var progress: (packets: Int, answered: UInt64) {
        let peers = routers.left.worker.wireGuard.snapshot(InterfaceID(0), routers.now)
        return (routers.right.received, peers.reduce(0) { $0 + $1.received })
    }
}
