import Wire

/// Gives numbers to peers. One that came back is given out again, the oldest first; whoever gives it back knows that no
/// worker can mean the old peer by it any more.
struct PeerNumbers {
    private var next = 0
    private var free: [PeerID] = []
    /// Before this, `free` has been given out.
    private var head = 0

    mutating func take() -> PeerID {
        guard head < free.count else {
            defer { next += 1 }
            return PeerID(next)
        }
        defer { compact() }
        head += 1
        return free[head - 1]
    }

    mutating func giveBack(_ numbers: some Sequence<PeerID>) { free += numbers }

    private mutating func compact() {
        guard head > 1024, head * 2 > free.count else { return }
        free.removeFirst(head)
        head = 0
    }
}
