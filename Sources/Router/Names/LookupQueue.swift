import Pipeline
import Wire

/// The peers whose names are to be looked up: now, in the order in which they were asked for, or at a later moment.
struct LookupQueue {
    /// Between two look-ups of a name that is not known: doubles up to the longest.
    static let firstPause = Interval.seconds(2)
    static let longestPause = Interval.seconds(60)

    private var ready: ArraySlice<PeerID> = []
    private var isQueued: Set<PeerID> = []
    private var later: [PeerID: Instant] = [:]
    private var failures: [PeerID: Int] = [:]

    var hasReady: Bool { !ready.isEmpty }

    mutating func append(_ peer: PeerID) {
        guard isQueued.insert(peer).inserted else { return }
        later[peer] = nil
        ready.append(peer)
    }

    /// The name was not known: once more after a while.
    mutating func retry(_ peer: PeerID, _ now: Instant) {
        let count = failures[peer, default: 0]
        failures[peer] = count + 1
        let pause = Self.firstPause.nanoseconds << UInt64(min(count, 8))
        later[peer] = now + min(Interval(nanoseconds: pause), Self.longestPause)
    }

    mutating func succeeded(_ peer: PeerID) { failures[peer] = nil }

    mutating func remove(_ peer: PeerID) {
        later[peer] = nil
        failures[peer] = nil
        if isQueued.remove(peer) != nil { ready.removeAll { $0 == peer } }
    }

    /// The next one, or the moment at which there may be one.
    mutating func next(_ now: Instant) -> (peer: PeerID?, again: Instant) {
        if ready.isEmpty {
            for (peer, moment) in later where moment <= now { append(peer) }
        }
        if let peer = ready.popFirst() {
            isQueued.remove(peer)
            return (peer, now)
        }
        return (nil, later.values.min() ?? .never)
    }
}
