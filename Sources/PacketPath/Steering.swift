import Pipeline

/// A stage that can tell from a sealed packet which worker owns the session it is for.
package protocol Steering: Stage {
    /// Takes runs apart whose messages are for different workers, so that each has one owner.
    func separate(_ batch: inout PacketBatch)
    /// nil where any worker will do.
    func owner(of run: borrowing Packet) -> Int?
}
