import Pipeline

/// A stage that can tell from a sealed packet which worker owns the session it is for.
package protocol Steering: Stage {
    /// nil where any worker will do.
    func owner(of run: borrowing Packet) -> Int?
}
